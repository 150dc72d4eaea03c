#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace oombox {

// Asks what processes that live were started as, on a thread of its own: /proc/PID/cmdline waits
// for the process's mmap_lock, which may be held as long as the process is stuck, in reclaim or on
// purpose, and no event must wait for that. What is asked while kMaxWaiting others wait is dropped.
// Thread-safe.
class CmdlineReader {
 public:
  static constexpr size_t kMaxWaiting = 1024;

  struct Question {
    std::string event_id;
    uint32_t tgid = 0;
    uint64_t start_boottime_ns = 0;
  };
  struct Answer {
    Question question;
    std::string bytes;  // arguments, each with its NUL; not redacted yet
  };
  // Empty when the process is gone. Called on the thread, which may outlive everybody else when it
  // hangs at the end: it must own all that it uses.
  using Read = std::function<std::string(uint32_t tgid, uint64_t start_boottime_ns)>;

  // `answered` is called on the thread when Take has something; not after the destructor began.
  CmdlineReader(Read read, std::function<void()> answered);
  // Waits a second for a read under way. One that hangs is left to the end of the process: the wait
  // ends with a fatal signal only.
  ~CmdlineReader();
  CmdlineReader(const CmdlineReader&) = delete;
  CmdlineReader& operator=(const CmdlineReader&) = delete;

  void Ask(Question question);
  std::vector<Answer> Take();

 private:
  struct Shared;
  static void Run(const std::shared_ptr<Shared>& shared, const Read& read);

  const std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace oombox
