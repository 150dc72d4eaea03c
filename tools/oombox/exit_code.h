#pragma once

#include "agent/common/result.h"

namespace oombox {

// Exit codes of `oombox`, the same for every verb; documented in `oombox --help`.
enum ExitCode : int {
  kExitOk = 0,
  kExitFailure = 1,
  kExitUsage = 2,
  kExitPartial = 3,       // coverage is incomplete, or something was left out
  kExitCheckFailed = 4,   // a --check found what it looks for
  kExitNotFound = 5,      // no such event, or the reference names several
  kExitUnavailable = 69,  // no server answered (EX_UNAVAILABLE)
};

constexpr ExitCode ExitCodeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return kExitUsage;
    case ErrorCode::kNotFound:
    case ErrorCode::kAmbiguous:
      return kExitNotFound;
    case ErrorCode::kUnavailable:
    case ErrorCode::kPermission:
      return kExitUnavailable;
    case ErrorCode::kGone:
    case ErrorCode::kExhausted:
    case ErrorCode::kCorrupt:
    case ErrorCode::kInternal:
      break;
  }
  return kExitFailure;
}

}  // namespace oombox
