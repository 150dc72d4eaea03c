#pragma once

#include <string>

#include "agent/common/result.h"
#include "tools/oombox/completion_model.h"
#include "tools/oombox/options.h"

namespace oombox {

enum class Verb {
  kPrinted,
  kList,
  kWatch,
  kGet,
  kExplain,
  kCurve,
  kTop,
  kStatus,
  kVersion,
  kCompletion
};

// A command line, parsed. kPrinted: `text` (the help) is all there is to do.
struct Invocation {
  Verb verb = Verb::kPrinted;
  GlobalOptions global;
  ListOptions list;
  WatchOptions watch;
  CurveOptions curve;
  TopOptions top;
  StatusOptions status;
  VersionOptions version;
  std::string argument;  // reference, or shell
  std::string text;
  CompletionModel completion;  // filled for kCompletion
};

// kInvalid says what is wrong and, where it can be guessed, what was meant.
Result<Invocation> ParseCommandLine(int argc, const char* const* argv);

}  // namespace oombox
