#include "agent/common/result.h"

#include <cstring>

namespace oombox {

tl::unexpected<Error> MakeSystemError(ErrorCode code, int os_error, std::string what) {
  char buffer[128];
  // The GNU strerror_r: thread-safe, may return a static string.
  const char* text = strerror_r(os_error, buffer, sizeof buffer);
  return tl::unexpected<Error>(Error{code, fmt::format("{}: {}", what, text), os_error});
}

tl::unexpected<Error> Annotate(Error error, std::string_view context) {
  error.message = fmt::format("{}: {}", context, error.message);
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace oombox
