#pragma once

#include <CLI/CLI.hpp>

#include "tools/oombox/command_line.h"

namespace oombox {

// What every flag and verb is called and does: the one table that the parser, --help and the
// completion are made of. The invocation must outlive the app.
void AddGlobalFlags(CLI::App* app, GlobalOptions* options);
void AddVerbs(CLI::App* app, Invocation* invocation);

// The table, read back.
CompletionModel ModelOf(const CLI::App& app);

}  // namespace oombox
