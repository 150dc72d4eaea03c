#pragma once

#include <cstdint>
#include <cstdio>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/common/result.h"
#include "tools/oombox/completion_model.h"
#include "tools/oombox/event_source.h"
#include "tools/oombox/exit_code.h"
#include "tools/oombox/options.h"
#include "tools/oombox/output.h"

namespace oombox {

// What a verb works with. Notes go to `notes` (stderr), the answer to `out`.
struct VerbContext {
  EventSource* source;
  Output* out;
  std::FILE* notes;
  OutputFormat format = OutputFormat::kDefault;
  bool headers = true;
  int64_t now_ns = 0;
};

// One verb, one file. They return the exit code, or an error that ends the program.
Result<ExitCode> RunList(const ListOptions& options, const VerbContext& context);
Result<ExitCode> RunWatch(const WatchOptions& options, const VerbContext& context,
                          const std::stop_token& stop);
Result<ExitCode> RunGet(const std::string& reference, const VerbContext& context);
Result<ExitCode> RunExplain(const std::string& reference, const VerbContext& context);
Result<ExitCode> RunCurve(const std::string& reference, const CurveOptions& options,
                          const VerbContext& context);
Result<ExitCode> RunTop(const TopOptions& options, const VerbContext& context,
                        const std::stop_token& stop = {});
// It is drawn anew until it is stopped; otherwise `stop` is not looked at.
bool IsLive(const TopOptions& options, const VerbContext& context);
Result<ExitCode> RunStatus(const StatusOptions& options, const VerbContext& context);
Result<ExitCode> RunVersion(const VersionOptions& options, const VerbContext& context);
Result<ExitCode> RunCompletion(const std::string& shell, const CompletionModel& model, Output* out);

// kInvalid: `verb` does not print in `format`.
Status CheckFormat(std::string_view verb, OutputFormat format, std::vector<OutputFormat> allowed);

// The version of this program.
std::string_view ClientVersion();

}  // namespace oombox
