#include "agent/pressure/parse.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>

#include "agent/common/cgroup_tree.h"

namespace oombox {

namespace {

// v1 writes the biggest multiple of a page for "no limit"; no machine has half of that.
constexpr uint64_t kNoLimit = uint64_t{1} << 62;

uint64_t Less(uint64_t from, uint64_t what) { return from > what ? from - what : 0; }

using Optional = std::optional<uint64_t>;

Optional Sum(std::initializer_list<Optional> parts) {
  Optional sum;
  for (const Optional& part : parts) {
    if (part) {
      sum = sum.value_or(0) + *part;
    }
  }
  return sum;
}

void FillDerived(MemorySample& sample, Optional inactive_file) {
  if (sample.usage_bytes && inactive_file) {
    sample.working_set_bytes = Less(*sample.usage_bytes, *inactive_file);
  }
  if (sample.anon_bytes) {
    const Optional held =
        Sum({sample.anon_bytes, sample.shmem_bytes, sample.sock_bytes,
             Less(sample.kernel_bytes.value_or(0), sample.slab_reclaimable_bytes.value_or(0))});
    // The parts are not read at one moment: together they may be more than the whole.
    sample.unreclaimable_bytes = std::min(*held, sample.usage_bytes.value_or(*held));
  }
}

std::optional<double> Average(std::string_view line, std::string_view key) {
  const size_t at = line.find(key);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  double value = 0;
  const char* begin = line.data() + at + key.size();
  const auto [stop, error] = std::from_chars(begin, line.data() + line.size(), value);
  return error == std::errc() && value >= 0 && value <= 100 ? std::optional(value) : std::nullopt;
}

std::string_view LineThatBegins(std::string_view text, std::string_view word) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (text.substr(0, end).starts_with(word)) {
      return text.substr(0, end);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

// Of "MemTotal:       24622084 kB".
Optional Kilobytes(std::string_view text, std::string_view key) {
  std::string_view line = LineThatBegins(text, key);
  if (line.size() <= key.size() || line[key.size()] != ':') {
    return std::nullopt;
  }
  line.remove_prefix(key.size() + 1);
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  uint64_t value = 0;
  const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  return error == std::errc() ? Optional(value * 1024) : std::nullopt;
}

}  // namespace

std::optional<uint64_t> ParseNumber(std::string_view text) {
  uint64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = stop == text.data() + text.size() || *stop == '\n';
  return error == std::errc() && whole ? Optional(value) : std::nullopt;
}

std::optional<uint64_t> ParseLimit(std::string_view text) {
  const auto limit = ParseNumber(text);
  return limit && *limit < kNoLimit ? limit : std::nullopt;
}

// `file` has the shmem in it. `kernel` is there since Linux 5.18; before, the sum of its parts is a
// little less. Mlocked pages of files are left out: nothing tells them from anon that is locked.
void ParseStatV2(std::string_view text, MemorySample& sample) {
  const auto value = [&](std::string_view key) { return ValueOf(text, key); };
  sample.anon_bytes = value("anon");
  sample.shmem_bytes = value("shmem");
  if (const auto file = value("file")) {
    sample.file_bytes = Less(*file, sample.shmem_bytes.value_or(0));
  }
  sample.sock_bytes = value("sock");
  sample.kernel_bytes = value("kernel");
  if (!sample.kernel_bytes) {
    sample.kernel_bytes =
        Sum({value("slab"), value("kernel_stack"), value("pagetables"), value("percpu")});
  }
  sample.slab_reclaimable_bytes = value("slab_reclaimable");
  FillDerived(sample, value("inactive_file"));
}

void ParseStatV1(std::string_view text, MemorySample& sample) {
  const auto value = [&](std::string_view key) { return ValueOf(text, key); };
  sample.anon_bytes = value("total_rss");
  sample.shmem_bytes = value("total_shmem");
  if (const auto cache = value("total_cache")) {
    sample.file_bytes = Less(*cache, sample.shmem_bytes.value_or(0));
  }
  FillDerived(sample, value("total_inactive_file"));
}

bool ParsePressure(std::string_view text, MemorySample& sample) {
  const std::string_view some = LineThatBegins(text, "some ");
  const std::string_view full = LineThatBegins(text, "full ");
  const auto total = [](std::string_view line) -> Optional {
    const size_t at = line.find("total=");
    return at == std::string_view::npos ? std::nullopt : ParseNumber(line.substr(at + 6));
  };
  sample.some_avg10 = Average(some, "avg10=");
  sample.some_avg60 = Average(some, "avg60=");
  sample.some_total_us = total(some);
  sample.full_avg10 = Average(full, "avg10=");
  sample.full_avg60 = Average(full, "avg60=");
  sample.full_total_us = total(full);
  return sample.some_avg10.has_value();
}

bool ParseMeminfo(std::string_view text, MemorySample& sample) {
  const auto value = [&](std::string_view key) { return Kilobytes(text, key); };
  const auto total = value("MemTotal");
  const auto free = value("MemFree");
  const auto available = value("MemAvailable");
  if (!total || !free || !available) {
    return false;
  }
  sample.limit_bytes = total;
  sample.usage_bytes = Less(*total, *free);
  sample.working_set_bytes = Less(*total, *available);
  sample.unreclaimable_bytes = sample.working_set_bytes;
  sample.anon_bytes = value("AnonPages");
  sample.shmem_bytes = value("Shmem");
  if (const auto cached = Sum({value("Cached"), value("Buffers")})) {
    sample.file_bytes = Less(*cached, sample.shmem_bytes.value_or(0));
  }
  sample.kernel_bytes =
      Sum({value("Slab"), value("KernelStack"), value("PageTables"), value("Percpu")});
  return true;
}

std::optional<uint32_t> ParseLoadavgTasks(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) {
    return std::nullopt;
  }
  uint32_t tasks = 0;
  const auto [stop, error] =
      std::from_chars(text.data() + slash + 1, text.data() + text.size(), tasks);
  return error == std::errc() ? std::optional(tasks) : std::nullopt;
}

}  // namespace oombox
