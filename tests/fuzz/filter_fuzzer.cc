#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/store/filter.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto filter =
      oombox::Filter::Parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!filter.has_value()) {
    return 0;
  }
  const oombox::EventAttributes row{.id = "4k7qzd0000000000",
                                    .kind = "oom",
                                    .time_ns = 1'763'866'800'000'000'000,
                                    .node = "node-1",
                                    .cluster = "prod",
                                    .cgroup = "/kubepods/pod[1]/worker",
                                    .comm = "python3",
                                    .workload = "sie/ocr",
                                    .tgid = 31};
  filter->Matches(row);
  filter->Matches({});

  // What the user wrote reaches SQL as values only: as many of them as question marks, no quotes
  // but those of the empty text.
  const oombox::Filter::Sql sql = filter->ToSql();
  const auto marks = std::count(sql.condition.begin(), sql.condition.end(), '?');
  if (static_cast<size_t>(marks) != sql.values.size() ||
      sql.condition.find(';') != std::string::npos) {
    std::abort();
  }
  return 0;
}
