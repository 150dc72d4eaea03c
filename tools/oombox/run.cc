#include "tools/oombox/run.h"

#include <fmt/format.h>

#include <csignal>
#include <cstdlib>

#include "agent/common/clock.h"
#include "tools/oombox/client.h"
#include "tools/oombox/command_line.h"
#include "tools/oombox/connect_error.h"
#include "tools/oombox/file_source.h"
#include "tools/oombox/moment.h"
#include "tools/oombox/printable.h"
#include "tools/oombox/render/text_width.h"
#include "tools/oombox/stop_signals.h"
#include "tools/oombox/verbs/verbs.h"

namespace oombox {

namespace {

std::string Environment(const char* name, const std::string& fallback) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? fallback : value;
}

std::string AddressOf(const GlobalOptions& global) {
  if (global.local) {
    const std::string path = Environment("OOMBOX_AGENT_SOCKET", kDefaultAgentSocket);
    return path.starts_with("unix:") ? path : "unix:" + path;
  }
  return global.server.empty() ? Environment("OOMBOX_SERVER", kDefaultCollector) : global.server;
}

Result<std::unique_ptr<EventSource>> OpenSource(const GlobalOptions& global) {
  if (!global.file.empty()) {
    OOMBOX_TRY(std::unique_ptr<EventSource> file, FileSource::Open(global.file));
    return MakePrintableSource(std::move(file));
  }
  auto timeout = ParseDuration(global.timeout);
  if (!timeout.has_value()) {
    return Annotate(std::move(timeout).error(), "--timeout");
  }
  if (*timeout == timeout->zero() || *timeout > std::chrono::hours(24)) {
    return MakeError(ErrorCode::kInvalid, "--timeout {}: give 1s to 24h", global.timeout);
  }
  ClientOptions options{
      AddressOf(global),      global.tls_ca,
      global.tls_certificate, global.tls_key,
      global.insecure,        std::chrono::duration_cast<std::chrono::milliseconds>(*timeout)};
  OOMBOX_TRY(std::unique_ptr<EventSource> source, MakeGrpcSource(options));
  return MakePrintableSource(std::move(source));
}

Result<ExitCode> Dispatch(const Invocation& invocation, const VerbContext& context,
                          const std::stop_token& stop) {
  switch (invocation.verb) {
    case Verb::kList:
      return RunList(invocation.list, context);
    case Verb::kWatch:
      return RunWatch(invocation.watch, context, stop);
    case Verb::kGet:
      return RunGet(invocation.argument, context);
    case Verb::kExplain:
      return RunExplain(invocation.argument, context);
    case Verb::kCurve:
      return RunCurve(invocation.argument, invocation.curve, context);
    case Verb::kTop:
      return RunTop(invocation.top, context, stop);
    case Verb::kStatus:
      return RunStatus(invocation.status, context);
    case Verb::kVersion:
      return RunVersion(invocation.version, context);
    case Verb::kCompletion:
      return RunCompletion(invocation.argument, invocation.completion, context.out);
    case Verb::kPrinted:
      context.out->Write(invocation.text);
      break;
  }
  return kExitOk;
}

Result<ExitCode> Run(const Invocation& invocation, Output* out) {
  VerbContext context{
      nullptr, out, stderr, invocation.global.format, !invocation.global.no_headers, WallNowNs()};
  if (invocation.verb == Verb::kPrinted || invocation.verb == Verb::kCompletion) {
    return Dispatch(invocation, context, {});
  }
  // Only what goes on for ever has anything to end; elsewhere ctrl-C may simply kill.
  std::unique_ptr<StopSignals> signals;
  if (invocation.verb == Verb::kWatch ||
      (invocation.verb == Verb::kTop && IsLive(invocation.top, context))) {
    OOMBOX_TRY(signals, StopSignals::Make());
  }
  OOMBOX_TRY(const std::unique_ptr<EventSource> source, OpenSource(invocation.global));
  context.source = source.get();
  return Dispatch(invocation, context, signals ? signals->token() : std::stop_token());
}

ExitCode Fail(const Error& error) {
  fmt::print(stderr, "oombox: {}\n", error.message);
  return ExitCodeOf(error.code);
}

}  // namespace

ExitCode RunOombox(int argc, const char* const* argv) {
  // A closed pipe is seen as an error of write, and is none.
  std::signal(SIGPIPE, SIG_IGN);
  UseUtf8Locale();
  const auto invocation = ParseCommandLine(argc, argv);
  if (!invocation.has_value()) {
    return Fail(invocation.error());
  }
  Output out = Output::ForStdout(invocation->global.color);
  const auto code = Run(*invocation, &out);
  if (out.closed()) {
    return kExitOk;
  }
  if (!code.has_value()) {
    return Fail(code.error());
  }
  return out.status().has_value() ? *code : Fail(out.status().error());
}

}  // namespace oombox
