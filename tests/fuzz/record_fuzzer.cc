// The decoder of kill records: bytes of a ring or a journal, possibly damaged. What it accepts must
// be usable by the event stage, within the size limit, and printable.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <variant>

#include "agent/capture/decode.h"
#include "agent/common/text.h"
#include "agent/event/assemble.h"
#include "agent/store/event_store.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto record = oombox::DecodeRecord({reinterpret_cast<const char*>(data), size});
  if (!record || !std::holds_alternative<oombox::KillRecord>(*record)) {
    return 0;
  }
  oombox::EventContext context;
  context.boot_id = "boot";
  const oombox::v1::Event event =
      oombox::AssembleKill(std::get<oombox::KillRecord>(*record), context);
  const bool fits = event.ByteSizeLong() <= oombox::kMaxEventBytes;
  const bool printable = event.oom().victims_size() == 1 &&
                         oombox::IsPrintableUtf8(event.oom().victims(0).comm()) &&
                         oombox::IsPrintableUtf8(event.oom().workload());
  if (!fits || !printable) {
    std::abort();
  }
  return 0;
}
