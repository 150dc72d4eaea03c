#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "agent/common/result.h"

namespace oombox {

// One setting of a daemon: the same name everywhere. "state-dir" is --state-dir, STATE_DIR behind
// the program's prefix in the environment, state-dir = "..." in the TOML file.
struct ConfigOption {
  using Target = std::variant<std::string*, int64_t*, bool*, std::vector<std::string>*>;
  std::string name;
  Target target;  // holds the default; must outlive Load
  std::string help;
  enum class Kind {
    kSetting,
    kSignedSetting,  // a number that may be negative
    kCommand,        // something to do once: on the command line only
  };
  Kind kind = Kind::kSetting;
};

struct ConfigTable {
  std::string program;       // "oombox-agent"
  std::string description;   // first line of --help
  std::string env_prefix;    // "OOMBOX_AGENT_"
  std::string default_file;  // read when it exists and --config is not given
  std::string version;
  std::vector<ConfigOption> options;
};

enum class ConfigOutcome {
  kRun,      // go on
  kPrinted,  // --help or --version was printed: exit 0
};

// Fills the targets: a flag beats the environment, the environment beats the file, the file beats
// the default. kInvalid for unknown flags, unknown keys in the file and values of the wrong type;
// the message names the place and the remedy. An unknown variable with the prefix is told on stderr
// and ignored: Kubernetes injects <SERVICE>_PORT variables into every pod.
Result<ConfigOutcome> LoadConfig(const ConfigTable& table, int argc, const char* const* argv);

// kInvalid unless min <= value <= max.
Status CheckBounds(const std::string& name, int64_t value, int64_t min, int64_t max);

// The table as a Markdown table for docs (--help-markdown prints it).
std::string ConfigMarkdown(const ConfigTable& table);

}  // namespace oombox
