#include "tools/memhog/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <limits>
#include <sstream>

#include "agent/common/unique_fd.h"

namespace oombox {

Result<std::string> ReadSmallFile(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    return MakeSystemError(ErrorCode::kNotFound, errno, "open " + path);
  }
  std::string text;
  std::array<char, 4096> buffer;
  while (true) {
    const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
    if (n < 0) {
      return MakeSystemError(ErrorCode::kInternal, errno, "read " + path);
    }
    if (n == 0) {
      return text;
    }
    text.append(buffer.data(), static_cast<size_t>(n));
  }
}

Status WriteSmallFile(const std::string& path, std::string_view text) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid()) {
    return MakeSystemError(ErrorCode::kNotFound, errno, "open " + path);
  }
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return MakeSystemError(ErrorCode::kInternal, errno,
                           "write \"" + std::string(text) + "\" to " + path);
  }
  return {};
}

Result<uint64_t> ReadNumber(const std::string& path) {
  OOMBOX_TRY(const std::string text, ReadSmallFile(path));
  if (text.starts_with("max")) {
    return std::numeric_limits<uint64_t>::max();
  }
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) {
    return MakeError(ErrorCode::kCorrupt, "{}: not a number: {}", path, text);
  }
  return value;
}

std::map<std::string, uint64_t> ParseKeyedNumbers(std::string_view text) {
  std::map<std::string, uint64_t> numbers;
  std::istringstream lines{std::string(text)};
  std::string key;
  uint64_t value = 0;
  while (lines >> key >> value) {
    numbers[key] = value;
  }
  return numbers;
}

}  // namespace oombox
