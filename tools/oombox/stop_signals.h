#pragma once

#include <memory>
#include <stop_token>
#include <thread>

#include "agent/common/result.h"
#include "agent/common/unique_fd.h"

namespace oombox {

// Turns ctrl-C and SIGTERM into a stop token. Blocks both signals in this thread and those it
// starts, so make it before any other thread. The destructor ends its thread and leaves the signals
// blocked.
class StopSignals {
 public:
  static Result<std::unique_ptr<StopSignals>> Make();
  ~StopSignals();

  std::stop_token token() const { return source_.get_token(); }

 private:
  StopSignals(UniqueFd signals, UniqueFd end);
  void Listen();

  UniqueFd signals_;  // signalfd
  UniqueFd end_;      // eventfd: the destructor's
  std::stop_source source_;
  std::jthread thread_;
};

}  // namespace oombox
