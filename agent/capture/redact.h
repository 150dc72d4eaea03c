#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/common/result.h"

namespace oombox {

// Overwrites secrets on command lines with `*`, byte for byte, before anything is stored. A command
// line is its arguments, each with its NUL, in any encoding. Thread-safe once made.
class Redactor {
 public:
  struct Options {
    // Passwords, tokens and keys by the name they are given with, URLs with a password, well-known
    // forms of tokens.
    bool defaults = true;
    // Further RE2 expressions; what their first group matches is overwritten, without a group the
    // whole match. NUL stands between two arguments.
    std::vector<std::string> patterns = {};
  };

  // kInvalid: an expression does not parse; the message says where.
  static Result<std::unique_ptr<Redactor>> Make(const Options& options);
  virtual ~Redactor() = default;

  virtual void Redact(std::string& cmdline) const = 0;
};

// A raw record of the kernel's ring with its command line redacted; others stay as they are. False
// when the record has none.
bool RedactRecord(std::string_view record, const Redactor& redactor, std::string& out);

}  // namespace oombox
