#include "tools/oombox/live_screen.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

namespace oombox {

namespace {

// The terminal's other screen, and no cursor; and back.
constexpr std::string_view kEnter = "\033[?1049h\033[?25l";
constexpr std::string_view kLeave = "\033[?25h\033[?1049l";

// Typed letters come one by one and are not shown; ctrl-Z would leave the other screen behind.
// Nothing where the keyboard is not ours (a background job would be stopped).
std::optional<termios> HideTyping() {
  termios before{};
  if (::tcgetpgrp(STDIN_FILENO) != ::getpgrp() || ::tcgetattr(STDIN_FILENO, &before) != 0) {
    return std::nullopt;
  }
  termios hidden = before;
  hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON);
  hidden.c_cc[VSUSP] = _POSIX_VDISABLE;
  hidden.c_cc[VMIN] = 1;
  hidden.c_cc[VTIME] = 0;
  if (::tcsetattr(STDIN_FILENO, TCSANOW, &hidden) != 0) {
    return std::nullopt;
  }
  return before;
}

}  // namespace

LiveScreen::LiveScreen(Output* out, const std::stop_token& stop)
    : out_(out), typed_(HideTyping()), wake_(::eventfd(0, EFD_CLOEXEC)) {
  on_stop_.emplace(stop, [this] {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
  });
  out_->Write(kEnter);
}

LiveScreen::~LiveScreen() {
  on_stop_.reset();
  out_->Write(kLeave);
  out_->Write(last_);
  if (typed_) {
    ::tcsetattr(STDIN_FILENO, TCSANOW, &*typed_);
  }
}

void LiveScreen::Show(std::string_view text) {
  last_ = text;
  std::string picture = "\033[H";
  size_t lines = 0;
  while (!text.empty() && lines < out_->height()) {
    const size_t end = std::min(text.find('\n'), text.size());
    picture.append(lines++ == 0 ? "" : "\r\n").append(text.substr(0, end)).append("\033[K");
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  out_->Write(picture + "\033[J");
}

bool LiveScreen::Wait(std::chrono::milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (!out_->closed() && out_->status().has_value()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      return true;
    }
    // Without a keyboard of ours, only the stop counts: poll passes over a negative descriptor.
    std::array<pollfd, 2> fds = {
        {{wake_.get(), POLLIN, 0}, {typed_ ? STDIN_FILENO : -1, POLLIN, 0}}};
    const int ready = ::poll(fds.data(), fds.size(), static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR) {
      return false;
    }
    if (ready > 0 && fds[0].revents != 0) {
      return false;
    }
    if (ready > 0 && fds[1].revents != 0) {
      char key = 'q';  // a terminal that hung up reads as the end
      if (::read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q') {
        return false;
      }
    }
  }
  return false;
}

}  // namespace oombox
