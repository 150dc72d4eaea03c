#pragma once

#include <termios.h>

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "agent/common/unique_fd.h"
#include "tools/oombox/output.h"

namespace oombox {

// A terminal that is drawn anew in place. It shows its own screen and hides the cursor and what is
// typed; the destructor gives all of that back and leaves the last picture on the screen. SIGINT
// and SIGTERM must come as a stop token (StopSignals), or nothing is given back. Used from one
// thread.
class LiveScreen {
 public:
  LiveScreen(Output* out, const std::stop_token& stop);
  ~LiveScreen();
  LiveScreen(const LiveScreen&) = delete;
  LiveScreen& operator=(const LiveScreen&) = delete;

  // Replaces the picture. Lines beyond the terminal's height are left out.
  void Show(std::string_view text);
  // False when it is over: q was typed, `stop` asked for it, or the terminal is gone.
  bool Wait(std::chrono::milliseconds time);

 private:
  Output* const out_;
  std::string last_;
  std::optional<termios> typed_;  // how the keyboard was
  UniqueFd wake_;                 // eventfd: the stop token's
  std::optional<std::stop_callback<std::function<void()>>> on_stop_;
};

}  // namespace oombox
