#include "tools/oombox/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>

namespace oombox {

namespace {

constexpr size_t kUsualWidth = 80;

size_t TerminalWidth() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    return size.ws_col;
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

}  // namespace

Output Output::ForStdout(ColorMode color) {
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  return Output(stdout, terminal ? TerminalWidth() : 0, ColorWanted(color, terminal));
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
