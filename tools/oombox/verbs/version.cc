#include <fmt/format.h>

#include "tools/oombox/render/json.h"
#include "tools/oombox/render/units.h"
#include "tools/oombox/verbs/verbs.h"

namespace oombox {

namespace {

std::string UpText(const v1::GetVersionResponse& server, int64_t now_ns) {
  return server.has_start_time()
             ? fmt::format(", up {}", FormatAge(now_ns - ToNs(server.start_time())))
             : "";
}

Status PrintServer(const v1::GetVersionResponse& server, const VerbContext& context) {
  if (context.format == OutputFormat::kJson || context.format == OutputFormat::kJsonLines) {
    OOMBOX_TRY(const std::string text, ToJson(server, JsonLayout::kOneLine));
    context.out->Write(fmt::format("{{\"client\":\"{}\",\"server\":{}}}\n", ClientVersion(),
                                   std::string_view(text).substr(0, text.size() - 1)));
    return {};
  }
  context.out->Write(fmt::format("client  oombox {}\nserver  {} {}{}  ({})\n", ClientVersion(),
                                 server.component(), server.version(),
                                 UpText(server, context.now_ns), context.source->Describe()));
  if (server.version() != ClientVersion()) {
    context.out->Write("note: the versions differ; neighbouring ones work together\n");
  }
  return {};
}

void PrintAlone(const Error& error, const VerbContext& context) {
  if (context.format == OutputFormat::kJson || context.format == OutputFormat::kJsonLines) {
    context.out->Write(fmt::format("{{\"client\":\"{}\"}}\n", ClientVersion()));
  } else {
    context.out->Write(fmt::format("client  oombox {}\nserver  not known: {}\n", ClientVersion(),
                                   error.message.substr(0, error.message.find('\n'))));
  }
}

}  // namespace

// Without --check an absent server is no failure: the client's version was told.
Result<ExitCode> RunVersion(const VersionOptions& options, const VerbContext& context) {
  using F = OutputFormat;
  OOMBOX_RETURN_IF_ERROR(
      CheckFormat("version", context.format, {F::kTable, F::kJson, F::kJsonLines}));
  const auto server = context.source->Version();
  if (!server.has_value()) {
    PrintAlone(server.error(), context);
    return options.check ? ExitCodeOf(server.error().code) : kExitOk;
  }
  OOMBOX_RETURN_IF_ERROR(PrintServer(*server, context));
  return options.check && server->version() != ClientVersion() ? kExitCheckFailed : kExitOk;
}

}  // namespace oombox
