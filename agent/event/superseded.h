#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/event/assemble.h"
#include "agent/model/kill.h"
#include "oombox/v1/event.pb.h"

namespace oombox {

// Reconstructed events that nothing has superseded yet: those of this run and the recent ones of
// earlier runs. One thread.
class ReconstructedEvents {
 public:
  void Add(v1::Event event);

  // The captured kill says all that the kernel log said of it, and more: new revisions of the
  // events that it replaces, which are forgotten here.
  std::vector<v1::Event> Supersede(const KillRecord& record, const EventContext& context,
                                   const std::string& real_id);

 private:
  // What is beyond is not superseded in this run: the kill stands there twice.
  static constexpr size_t kMaxEvents = 4096;

  std::multimap<uint32_t, v1::Event> by_tgid_;
};

}  // namespace oombox
