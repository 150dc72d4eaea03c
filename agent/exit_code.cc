#include "agent/exit_code.h"

namespace oombox {

ExitCode CodeOf(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalid:
      return ExitCode::kUsage;
    case ErrorCode::kPermission:
    case ErrorCode::kExhausted:
      return ExitCode::kCannotCreate;
    case ErrorCode::kUnavailable:
      return ExitCode::kInUse;
    default:
      return ExitCode::kFailure;
  }
}

ExitCode CodeOfLoad(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalid:
      return ExitCode::kUsage;
    case ErrorCode::kExhausted:
      return ExitCode::kInUse;
    default:
      return ExitCode::kUnavailable;
  }
}

}  // namespace oombox
