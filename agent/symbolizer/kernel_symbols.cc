#include "agent/symbolizer/kernel_symbols.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <functional>
#include <string_view>

namespace oombox {

namespace {

struct Symbol {
  uint64_t address = 0;
  std::string_view name;  // valid until the next line
};

// "ffffffff81000000 T _text" or "... t name\t[module]"; nothing for what is no code.
std::optional<Symbol> ParseLine(const std::string& line) {
  char* end = nullptr;
  const uint64_t address = std::strtoull(line.c_str(), &end, 16);
  const std::string_view rest(end);
  if (rest.size() < 4 || std::string_view("tTwW").find(rest[1]) == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view name = rest.substr(3);
  return Symbol{.address = address, .name = name.substr(0, name.find_first_of("\t\n"))};
}

// Calls `each` with the lines from the file's begin on, until it returns false.
void ReadLines(int fd, const std::function<bool(const std::string&)>& each) {
  constexpr size_t kChunk = 64u << 10;
  std::string buffer(kChunk, '\0');
  std::string line;
  off_t offset = 0;
  while (true) {
    const ssize_t count = pread(fd, buffer.data(), buffer.size(), offset);
    if (count <= 0) {
      return;
    }
    offset += count;
    for (const char c : std::string_view(buffer.data(), static_cast<size_t>(count))) {
      if (c != '\n') {
        line += c;
        continue;
      }
      if (!each(line)) {
        return;
      }
      line.clear();
    }
  }
}

struct Nearest {
  uint64_t begin = 0;
  std::string name;
};

}  // namespace

Result<std::unique_ptr<KernelSymbols>> KernelSymbols::Open(const std::string& path) {
  UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    return MakeSystemError(ErrorCode::kUnavailable, errno, "cannot read " + path);
  }
  bool shown = false;
  ReadLines(file.get(), [&](const std::string& line) {
    const auto symbol = ParseLine(line);
    shown = symbol && symbol->address != 0;
    return !symbol;
  });
  if (!shown) {
    return MakeError(ErrorCode::kPermission,
                     "the kernel hides its addresses in {} (CAP_SYSLOG, or kernel.kptr_restrict=0 "
                     "is needed): kernel stacks are without names",
                     path);
  }
  return std::unique_ptr<KernelSymbols>(new KernelSymbols(std::move(file)));
}

std::optional<std::vector<std::string>> KernelSymbols::Known(std::span<const uint64_t> addresses) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const uint64_t address : addresses) {
    const auto found = known_.find(address);
    if (found == known_.end()) {
      return std::nullopt;
    }
    names.push_back(found->second);
  }
  return names;
}

std::vector<std::string> KernelSymbols::LookUp(std::span<const uint64_t> addresses) {
  std::map<uint64_t, Nearest> wanted;
  for (const uint64_t address : addresses) {
    wanted.try_emplace(address);
  }
  // The file is not sorted. The last symbol at or before an address is the one it lies in.
  ReadLines(file_.get(), [&](const std::string& line) {
    if (const auto symbol = ParseLine(line); symbol && symbol->address != 0) {
      for (auto it = wanted.lower_bound(symbol->address); it != wanted.end(); ++it) {
        if (it->second.begin > symbol->address) {
          break;  // those behind have a nearer one, too
        }
        if (it->second.begin < symbol->address) {
          it->second = {symbol->address, std::string(symbol->name)};
        }
      }
    }
    return true;
  });
  const std::lock_guard lock(mutex_);
  if (known_.size() + wanted.size() > kMaxKnown) {
    known_.clear();
  }
  std::vector<std::string> names;
  for (const uint64_t address : addresses) {
    const Nearest& nearest = wanted[address];
    names.push_back(nearest.name.empty()
                        ? std::string()
                        : fmt::format("{}+{:#x}", nearest.name, address - nearest.begin));
    known_[address] = names.back();
  }
  return names;
}

}  // namespace oombox
