#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/model/runtime_container.h"

namespace oombox {

// Tells what the container runtime knows of containers, without anybody waiting for it.
// Thread-safe.
class ContainerSource {
 public:
  struct Question {
    std::string event_id = {};
    std::string container_id = {};
    int64_t killed_wall_ns = 0;  // an exit before it is another one's
  };
  struct Answer {
    std::string event_id = {};
    RuntimeContainer container = {};
    bool found = false;  // the runtime knows the container, or knew it
    bool asked = false;  // it said after the kill whether the container runs or has ended
    bool last = false;   // nothing more comes: it has exited, or did not in the time an event has
  };

  virtual ~ContainerSource() = default;

  // What is known now; quick.
  virtual std::optional<RuntimeContainer> Known(const std::string& container_id) = 0;
  // Each question gets one answer that is the last, and others before when more becomes known.
  virtual void Ask(Question question) = 0;
  virtual std::vector<Answer> Take() = 0;
  // `answered` is called, on any thread, when Take has something. Before the first Ask; empty ends
  // the calls, and none is under way then.
  virtual void OnAnswer(std::function<void()> answered) = 0;
};

}  // namespace oombox
