#include "agent/common/config_table.h"

#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>

extern char** environ;

namespace oombox {

namespace {

using Values = std::vector<std::string>;

std::string EnvName(const ConfigTable& table, const std::string& option) {
  std::string name = table.env_prefix;
  for (const char c : option) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

std::string DefaultText(const ConfigOption& option) {
  struct Visitor {
    std::string operator()(const std::string* s) const { return *s; }
    std::string operator()(const int64_t* n) const { return std::to_string(*n); }
    std::string operator()(const bool* b) const { return *b ? "true" : "false"; }
    std::string operator()(const std::vector<std::string>* v) const {
      return fmt::format("{}", fmt::join(*v, ","));
    }
  };
  return std::visit(Visitor{}, option.target);
}

Values SplitCommas(const Values& values) {
  Values out;
  for (const std::string& value : values) {
    for (const std::string& part : CLI::detail::split(value, ',')) {
      if (!part.empty()) {
        out.push_back(part);
      }
    }
  }
  return out;
}

// `where` names the flag, variable or line for the message.
Status Assign(const ConfigOption& option, const Values& values, const std::string& where) {
  const std::string value = values.empty() ? "" : values.back();
  if (auto* const* list = std::get_if<std::vector<std::string>*>(&option.target)) {
    **list = SplitCommas(values);
    return {};
  }
  if (values.size() > 1) {
    return MakeError(ErrorCode::kInvalid, "{}: takes one value, {} were given", where,
                     values.size());
  }
  if (auto* const* text = std::get_if<std::string*>(&option.target)) {
    **text = value;
    return {};
  }
  if (auto* const* flag = std::get_if<bool*>(&option.target)) {
    if (value != "true" && value != "false" && value != "1" && value != "0") {
      return MakeError(ErrorCode::kInvalid, "{}: \"{}\" is neither true nor false", where, value);
    }
    **flag = value == "true" || value == "1";
    return {};
  }
  int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  const bool may_be_negative = option.kind == ConfigOption::Kind::kSignedSetting;
  if (error != std::errc{} || end != value.data() + value.size() ||
      (number < 0 && !may_be_negative)) {
    return MakeError(ErrorCode::kInvalid, "{}: \"{}\" is no whole number{}", where, value,
                     may_be_negative ? "" : " from 0 on");
  }
  *std::get<int64_t*>(option.target) = number;
  return {};
}

Status ApplyEnvironment(const ConfigTable& table, const std::map<std::string, Values>& flags) {
  std::map<std::string, const ConfigOption*> known;
  for (const ConfigOption& option : table.options) {
    if (option.kind != ConfigOption::Kind::kCommand) {
      known.emplace(EnvName(table, option.name), &option);
    }
  }
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const size_t equals = text.find('=');
    const std::string name(text.substr(0, equals));
    if (!name.starts_with(table.env_prefix) || equals == std::string_view::npos ||
        name == table.env_prefix + "CONFIG") {
      continue;
    }
    const auto found = known.find(name);
    if (found == known.end()) {
      // Not an error: Kubernetes injects <SERVICE>_PORT variables that may share the prefix.
      std::fprintf(stderr, "%s: environment variable %s is no setting, ignored\n",
                   table.program.c_str(), name.c_str());
      continue;
    }
    if (!flags.contains(found->second->name)) {
      OOMBOX_RETURN_IF_ERROR(Assign(*found->second, {std::string(text.substr(equals + 1))},
                                    fmt::format("environment variable {}", name)));
    }
  }
  return {};
}

Status ApplyFile(const ConfigTable& table, const std::string& path) {
  std::vector<CLI::ConfigItem> items;
  try {
    items = CLI::ConfigTOML().from_file(path);
  } catch (const std::exception& e) {
    return MakeError(ErrorCode::kInvalid, "cannot read the configuration file {}: {}", path,
                     e.what());
  }
  for (const CLI::ConfigItem& item : items) {
    const auto option =
        std::find_if(table.options.begin(), table.options.end(), [&](const ConfigOption& o) {
          return o.name == item.fullname() && o.kind != ConfigOption::Kind::kCommand;
        });
    if (option == table.options.end()) {
      return MakeError(ErrorCode::kInvalid,
                       "{}: unknown key \"{}\"; `{} --help` lists the settings", path,
                       item.fullname(), table.program);
    }
    OOMBOX_RETURN_IF_ERROR(Assign(*option, item.inputs, fmt::format("{}: {}", path, item.name)));
  }
  return {};
}

struct CommandLine {
  std::map<std::string, Values> flags;
  std::string config_file;
  bool config_given = false;
  bool version = false;
  bool markdown = false;
  std::optional<std::string> help;
};

Result<CommandLine> ParseFlags(const ConfigTable& table, int argc, const char* const* argv) {
  CLI::App app(table.description, table.program);
  CommandLine line;
  line.config_file = table.default_file;
  auto* config = app.add_option("--config", line.config_file,
                                fmt::format("TOML file with the same names (default {}; {}CONFIG)",
                                            table.default_file, table.env_prefix));
  app.add_flag("--version", line.version, "Print the version and exit");
  app.add_flag("--help-markdown", line.markdown, "Print the settings as a Markdown table and exit");
  std::map<std::string, Values> raw;
  for (const ConfigOption& option : table.options) {
    const std::string value = DefaultText(option);
    const std::string help =
        option.kind == ConfigOption::Kind::kCommand
            ? option.help
            : fmt::format("{}{} ({})", option.help,
                          value.empty() ? "" : fmt::format(" [default: {}]", value),
                          EnvName(table, option.name));
    if (option.kind == ConfigOption::Kind::kCommand) {
      app.add_flag("--" + option.name, help);
      continue;
    }
    auto* added = app.add_option("--" + option.name, raw[option.name], help);
    if (std::holds_alternative<bool*>(option.target)) {
      added->expected(0, 1);
    } else {
      added->expected(1)->allow_extra_args(false);
      added->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    line.help = app.help();
    return line;
  } catch (const CLI::ParseError& e) {
    return MakeError(ErrorCode::kInvalid, "{}; `{} --help` lists the settings", e.what(),
                     table.program);
  }
  for (const ConfigOption& option : table.options) {
    if (app.count("--" + option.name) > 0) {
      Values values = raw[option.name];
      if (std::holds_alternative<bool*>(option.target) &&
          (values.empty() || values[0].empty() || values[0] == "{}")) {
        values = {"true"};
      }
      line.flags[option.name] = values;
    }
  }
  line.config_given = config->count() > 0;
  return line;
}

}  // namespace

Result<ConfigOutcome> LoadConfig(const ConfigTable& table, int argc, const char* const* argv) {
  OOMBOX_TRY(CommandLine line, ParseFlags(table, argc, argv));
  if (line.help || line.version || line.markdown) {
    const std::string text = line.help      ? *line.help
                             : line.version ? fmt::format("{} {}\n", table.program, table.version)
                                            : ConfigMarkdown(table);
    std::fputs(text.c_str(), stdout);
    return ConfigOutcome::kPrinted;
  }
  if (const char* file = std::getenv((table.env_prefix + "CONFIG").c_str());
      file != nullptr && !line.config_given) {
    line.config_file = file;
    line.config_given = true;
  }
  if (line.config_given || ::access(line.config_file.c_str(), F_OK) == 0) {
    OOMBOX_RETURN_IF_ERROR(ApplyFile(table, line.config_file));
  }
  OOMBOX_RETURN_IF_ERROR(ApplyEnvironment(table, line.flags));
  for (const ConfigOption& option : table.options) {
    if (const auto flag = line.flags.find(option.name); flag != line.flags.end()) {
      OOMBOX_RETURN_IF_ERROR(Assign(option, flag->second, "--" + option.name));
    }
  }
  return ConfigOutcome::kRun;
}

Status CheckBounds(const std::string& name, int64_t value, int64_t min, int64_t max) {
  if (value < min || value > max) {
    return MakeError(ErrorCode::kInvalid, "{} {} is out of range: from {} to {}", name, value, min,
                     max);
  }
  return {};
}

std::string ConfigMarkdown(const ConfigTable& table) {
  std::string out =
      fmt::format("| {} flag and TOML key | environment | default | meaning |\n|---|---|---|---|\n",
                  table.program);
  for (const ConfigOption& option : table.options) {
    if (option.kind == ConfigOption::Kind::kCommand) {
      continue;
    }
    const std::string value = DefaultText(option);
    out += fmt::format("| `{}` | `{}` | {} | {} |\n", option.name, EnvName(table, option.name),
                       value.empty() ? "" : fmt::format("`{}`", value), option.help);
  }
  return out;
}

}  // namespace oombox
