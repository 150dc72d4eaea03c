#include "tools/oombox/command_line.h"

#include <CLI/CLI.hpp>

#include "agent/common/text.h"
#include "tools/oombox/flags.h"
#include "tools/oombox/printable.h"
#include "tools/oombox/suggest.h"

namespace oombox {

namespace {

constexpr const char* kAbout = "oombox: what the OOM killer killed, and why";
constexpr const char* kFooter =
    "Examples:\n"
    "  oombox list --since 3h              what was killed lately, in the cluster\n"
    "  oombox --local explain latest       why, on this node\n"
    "  oombox watch                        as it happens\n"
    "  oombox curve latest                 the memory before the kill, drawn\n"
    "  oombox top                          who is near the limit, and when is it full?\n"
    "  oombox status                       is anything missing?\n"
    "\n"
    "Exit codes: 0 ok; 1 failure; 2 usage; 3 the answer is partial; 4 a check failed;\n"
    "5 no such event or an ambiguous one; 69 no server answered.";

// Names that could have been meant in place of `typed`.
std::vector<std::string> Candidates(const CLI::App& app, std::string_view typed) {
  const CompletionModel model = ModelOf(app);
  std::vector<std::string> names;
  if (!typed.starts_with('-')) {
    for (const CompletionVerb& verb : model.verbs) {
      names.push_back(verb.name);
    }
    return names;
  }
  const auto add = [&names](const std::vector<CompletionFlag>& flags) {
    for (const CompletionFlag& flag : flags) {
      names.insert(names.end(), flag.names.begin(), flag.names.end());
    }
  };
  add(model.flags);
  for (const CompletionVerb& verb : model.verbs) {
    if (app.got_subcommand(verb.name)) {
      add(verb.flags);
    }
  }
  return names;
}

// CLI11 puts two empty lines between groups of options, and has its own word for verbs.
std::string HelpText(const CLI::App& app) {
  std::string text = app.help();
  for (size_t at = text.find("\n\n\n"); at != std::string::npos; at = text.find("\n\n\n")) {
    text.erase(at, 1);
  }
  if (const size_t at = text.find("\nSubcommands:\n"); at != std::string::npos) {
    text.replace(at + 1, std::string_view("Subcommands").size(), "Verbs");
  }
  return text;
}

std::string HelpCommand(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? "oombox --help"
                        : fmt::format("oombox {} --help", chosen.front()->get_name());
}

tl::unexpected<Error> UnknownWord(const CLI::App& app, const std::string& word) {
  const bool flag = word.starts_with('-');
  const bool verb = !flag && app.get_subcommands().empty();
  const std::string name = word.substr(0, word.find('='));
  const std::string near = flag || verb ? Nearest(name, Candidates(app, name)) : "";
  const std::string hint =
      near.empty() ? HelpCommand(app) : fmt::format("{}   (did you mean that?)", near);
  return MakeError(ErrorCode::kInvalid, "{} \"{}\"\ntry: {}",
                   flag   ? "unknown option"
                   : verb ? "unknown verb"
                          : "one argument too many:",
                   Printable(name), hint);
}

tl::unexpected<Error> Explain(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<std::string> unknown = app.remaining(true);
  if (!unknown.empty()) {
    return UnknownWord(app, unknown.front());
  }
  if (app.get_subcommands().empty()) {
    return MakeError(ErrorCode::kInvalid,
                     "say what to do: list, watch, get, explain, curve, top, status, version "
                     "or completion\ntry: oombox --help");
  }
  return MakeError(ErrorCode::kInvalid, "{}\ntry: {}", Printable(error.what()), HelpCommand(app));
}

Status CheckTogether(const GlobalOptions& global) {
  const int sources =
      (global.local ? 1 : 0) + (global.server.empty() ? 0 : 1) + (global.file.empty() ? 0 : 1);
  if (sources > 1) {
    return MakeError(ErrorCode::kInvalid,
                     "--server, --local and --file each say whom to ask\ntry: one of them");
  }
  return {};
}

}  // namespace

// The one place that meets CLI11's exceptions.
Result<Invocation> ParseCommandLine(int argc, const char* const* argv) {
  Invocation invocation;
  CLI::App app(kAbout, "oombox");
  app.footer(kFooter);
  app.require_subcommand(1);
  app.fallthrough();
  app.get_formatter()->label("SUBCOMMAND", "VERB");
  AddGlobalFlags(&app, &invocation.global);
  app.add_flag_callback(
      "--version", [] { throw CLI::CallForVersion(); }, "As the verb, without a server");
  AddVerbs(&app, &invocation);
  for (CLI::App* sub : app.get_subcommands({})) {
    sub->fallthrough();
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    invocation.verb = Verb::kPrinted;
    invocation.text = HelpText(app);
    return invocation;
  } catch (const CLI::CallForVersion&) {
    invocation.verb = Verb::kPrinted;
    invocation.text = "oombox " OOMBOX_VERSION "\n";
    return invocation;
  } catch (const CLI::ParseError& error) {
    return Explain(app, error);
  }
  OOMBOX_RETURN_IF_ERROR(CheckTogether(invocation.global));
  if (invocation.verb == Verb::kCompletion) {
    invocation.completion = ModelOf(app);
  } else if (invocation.argument.empty()) {
    invocation.argument = "latest";
  }
  return invocation;
}

}  // namespace oombox
