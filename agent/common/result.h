#pragma once

#include <fmt/format.h>

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace oombox {

// What a caller can do about an error; the message says what happened.
enum class ErrorCode {
  kInvalid,      // the caller's input is wrong; trying again does not help
  kNotFound,     // no such thing
  kAmbiguous,    // a reference names more than one thing
  kGone,         // it was there and vanished: normal for processes and cgroups
  kPermission,   // not allowed; the message names what is needed
  kUnavailable,  // try again later
  kExhausted,    // a bound was reached
  kCorrupt,      // stored or received bytes are damaged
  kInternal,     // a library or the kernel failed unexpectedly
};

// An error: "what: why" in lower case without a full stop, plus errno where the kernel said no.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  int os_error = 0;
};

// Either a T or an Error. Alias-like wrapper of tl::expected (std::expected from C++23 on) that
// adds [[nodiscard]]: an unread result is a compile error in the ci preset.
template <typename T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
  Result() = default;
};

using Status = Result<void>;

template <typename... Args>
[[nodiscard]] tl::unexpected<Error> MakeError(ErrorCode code, fmt::format_string<Args...> format,
                                              Args&&... args) {
  return tl::unexpected<Error>(Error{code, fmt::format(format, std::forward<Args>(args)...), 0});
}

// As MakeError, with errno and its text appended.
[[nodiscard]] tl::unexpected<Error> MakeSystemError(ErrorCode code, int os_error, std::string what);

// Puts `context` before the message on the way up.
[[nodiscard]] tl::unexpected<Error> Annotate(Error error, std::string_view context);

}  // namespace oombox

// Returns the error of a Status-like expression from the enclosing function.
#define OOMBOX_RETURN_IF_ERROR(expr)                                            \
  do {                                                                          \
    if (auto oombox_status = (expr); !oombox_status.has_value()) {              \
      return tl::unexpected<::oombox::Error>(std::move(oombox_status).error()); \
    }                                                                           \
  } while (false)

#define OOMBOX_CONCAT_INNER(a, b) a##b
#define OOMBOX_CONCAT(a, b) OOMBOX_CONCAT_INNER(a, b)

// OOMBOX_TRY(auto x, Make()): declares x or returns the error.
// NOLINTBEGIN(bugprone-macro-parentheses): a declaration cannot stand in parentheses.
#define OOMBOX_TRY(decl, expr) OOMBOX_TRY_IMPL(OOMBOX_CONCAT(oombox_result_, __LINE__), decl, expr)
#define OOMBOX_TRY_IMPL(tmp, decl, expr)                            \
  auto tmp = (expr);                                                \
  if (!tmp.has_value()) {                                           \
    return tl::unexpected<::oombox::Error>(std::move(tmp).error()); \
  }                                                                 \
  decl = std::move(tmp).value()
// NOLINTEND(bugprone-macro-parentheses)
