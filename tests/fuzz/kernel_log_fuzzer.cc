// The parser of the kernel log: records separated by NUL, as /dev/kmsg gives them one by one. What
// it takes for a kill must become an event that a store takes and a terminal shows.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/capture/kernel_log_parser.h"
#include "agent/common/text.h"
#include "agent/event/reconstruct.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  oombox::KernelLogParser parser;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (!rest.empty()) {
    const size_t end = rest.find('\0');
    if (const auto record = oombox::ParseKmsgRecord(rest.substr(0, end))) {
      parser.Feed(*record);
    }
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  oombox::EventContext context;
  context.boot_id = "boot";
  for (const oombox::LoggedKill& kill : std::move(parser).Take()) {
    const oombox::v1::Event event = oombox::AssembleReconstructed(kill, context);
    const bool usable = oombox::CheckStorable(event).has_value() &&
                        oombox::IsPrintableUtf8(event.oom().victims(0).comm()) &&
                        oombox::IsPrintableUtf8(event.oom().workload()) &&
                        oombox::IsPrintableUtf8(event.oom().limit_hit().cgroup_path());
    // Paths come in pairs, and the limit's cgroup holds the victim's.
    const bool consistent =
        !kill.fired_cgroup || (kill.cgroup_limit && kill.victim_cgroup.has_value());
    if (!usable || !consistent || kill.tgid == 0) {
      std::abort();
    }
  }
  return 0;
}
