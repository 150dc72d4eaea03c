#include "tools/oombox/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>

namespace oombox {

namespace {

constexpr size_t kUsualWidth = 80;

constexpr size_t kUsualHeight = 24;

winsize TerminalSize() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size : winsize{};
}

size_t TerminalWidth() {
  if (const size_t width = TerminalSize().ws_col; width > 0) {
    return width;
  }
  if (const char* columns = std::getenv("COLUMNS")) {
    size_t width = 0;
    const std::string_view text(columns);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), width);
    if (error == std::errc() && end == text.data() + text.size() && width > 0) {
      return width;
    }
  }
  return kUsualWidth;
}

bool ColorWanted(ColorMode mode, bool terminal) {
  if (mode != ColorMode::kAuto) {
    return mode == ColorMode::kAlways;
  }
  // https://no-color.org: present and not empty.
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool dumb = term != nullptr && std::string_view(term) == "dumb";
  return terminal && !dumb && (no_color == nullptr || *no_color == '\0');
}

// An environment that names no character set gets UTF-8 (`kubectl exec` comes without one), one
// that names another is believed. The console of Linux and dumb terminals have no such characters.
bool DrawsWanted() {
  const char* term = std::getenv("TERM");
  if (term != nullptr && (std::string_view(term) == "dumb" || std::string_view(term) == "linux")) {
    return false;
  }
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') {
      const std::string_view locale(value);
      return locale.find("UTF-8") != std::string_view::npos ||
             locale.find("utf8") != std::string_view::npos ||
             locale.find("utf-8") != std::string_view::npos;
    }
  }
  return true;
}

}  // namespace

Output Output::ForStdout(ColorMode color) {
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  Output out(stdout, terminal ? TerminalWidth() : 0, ColorWanted(color, terminal));
  out.height_ = terminal ? kUsualHeight : 0;
  out.draws_ = DrawsWanted();
  out.Measure();
  return out;
}

void Output::Measure() {
  if (height_ == 0) {
    return;
  }
  width_ = TerminalWidth();
  const size_t height = TerminalSize().ws_row;
  height_ = height > 0 ? height : kUsualHeight;
}

void Output::Write(std::string_view text) {
  if (closed_ || !status_.has_value()) {
    return;
  }
  const bool written = std::fwrite(text.data(), 1, text.size(), stream_) == text.size();
  if (written && std::fflush(stream_) == 0) {
    return;
  }
  if (errno == EPIPE) {
    closed_ = true;
    return;
  }
  status_ = MakeSystemError(ErrorCode::kInternal, errno, "cannot write the output");
}

}  // namespace oombox
