#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdio>
#include <string>

#include "agent/common/log.h"
#include "tools/memhog/channel.h"
#include "tools/memhog/options.h"
#include "tools/memhog/scenario.h"
#include "tools/memhog/stage.h"
#include "tools/memhog/truth.h"

namespace oombox {
namespace {

constexpr int kExitFailed = 1;        // played, but not everybody met the expected end
constexpr int kExitUnavailable = 69;  // EX_UNAVAILABLE: no memory cgroup can be made here

Result<bool> PlayAndReport(const Options& options, const Waiter& waiter) {
  OOMBOX_TRY(const auto stage,
             Stage::Make(waiter, options.parent, options.name, WorkersOf(options)));
  OOMBOX_RETURN_IF_ERROR(Play(options, *stage));
  const Truth truth = stage->Report(options.scenario);
  std::puts(ToJson(truth).c_str());
  std::fflush(stdout);
  if (options.hold) {
    OOMBOX_RETURN_IF_ERROR(waiter.UntilForever(STDIN_FILENO, "a newline"));
  }
  OOMBOX_RETURN_IF_ERROR(stage->RemoveCgroups());
  return truth.AsPlanned();
}

int Main(int argc, char** argv) {
  const auto parsed = ParseOptions(argc, argv);
  if (const int* code = std::get_if<int>(&parsed)) {
    return *code;
  }
  const Options& options = std::get<Options>(parsed);
  if (!SetUpLog("memhog", "text", "info")) {
    return kExitFailed;
  }
  const auto waiter = Waiter::Make(std::chrono::seconds(options.timeout_seconds));
  const Result<bool> as_planned =
      waiter ? PlayAndReport(options, *waiter) : Result<bool>(tl::unexpected(waiter.error()));
  if (!as_planned) {
    spdlog::error("{}", as_planned.error().message);
    const ErrorCode code = as_planned.error().code;
    const bool not_here = code == ErrorCode::kUnavailable || code == ErrorCode::kPermission;
    return not_here ? kExitUnavailable : kExitFailed;
  }
  return *as_planned ? 0 : kExitFailed;
}

}  // namespace
}  // namespace oombox

int main(int argc, char** argv) { return oombox::Main(argc, argv); }
