#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>

#include "agent/common/result.h"
#include "agent/common/unique_fd.h"

namespace oombox {

// First byte of every message between memhog and a worker.
enum class Signal : char {
  kReady = 'R',    // worker: in its cgroup, with its name
  kGo = 'G',       // memhog: do your job
  kDone = 'D',     // worker: the job is done, I live
  kQuit = 'Q',     // memhog: exit
  kFailed = 'E',   // worker: text says why
  kStarted = 'X',  // not sent: the worker closed its end (it executes something else, or died)
};

struct Message {
  Signal signal = Signal::kStarted;
  std::string text;
  pid_t sender = 0;  // as the receiver's pid namespace names it
};

// Two connected ends; messages keep their borders and carry the sender's pid.
struct ChannelPair {
  UniqueFd ours;
  UniqueFd theirs;
};
Result<ChannelPair> MakeChannel();

// Blocking ends of a worker. Send ignores a vanished receiver; Receive returns kStarted then.
void Send(int fd, Signal signal, std::string_view text = "");
Message Receive(int fd);

// Waits for things that happen to workers, and gives up at a deadline or when a termination signal
// arrives. Blocks SIGTERM, SIGINT and SIGHUP for the process; make it before anything else.
class Waiter {
 public:
  static Result<Waiter> Make(std::chrono::seconds timeout);

  // A message from a worker, or kStarted when it closed its end.
  Result<Message> ReceiveFrom(int fd) const;
  // A pidfd's process is dead, or a file has something to read.
  Status Until(int fd, std::string_view what) const;
  // As Until, without the deadline.
  Status UntilForever(int fd, std::string_view what) const;

 private:
  Waiter(UniqueFd signals, std::chrono::seconds timeout)
      : signals_(std::move(signals)), timeout_(timeout) {}
  Status Poll(int fd, int timeout_ms, std::string_view what) const;

  UniqueFd signals_;
  std::chrono::seconds timeout_;
};

}  // namespace oombox
