#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "tools/oombox/completion_model.h"

namespace oombox {

namespace {

std::vector<std::string> NamesOf(const std::vector<CompletionFlag>& flags) {
  std::vector<std::string> names;
  for (const CompletionFlag& flag : flags) {
    names.insert(names.end(), flag.names.begin(), flag.names.end());
  }
  return names;
}

std::string Words(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

// Inside single quotes of any of the three shells; brackets and colons mean something to zsh.
std::string Plain(std::string text) {
  for (size_t at = text.find('\''); at != std::string::npos; at = text.find('\'')) {
    text.replace(at, 1, "’");
  }
  for (char& c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\' || c == '`') {
      c = ' ';
    }
  }
  return text;
}

// case arms for the word after a flag.
std::string BashValues(const std::vector<CompletionFlag>& flags, std::set<std::string>* done) {
  std::string out;
  for (const CompletionFlag& flag : flags) {
    if (!flag.takes_value || !done->insert(flag.names.front()).second) {
      continue;
    }
    const std::string action =
        flag.takes_file ? "COMPREPLY=($(compgen -f -- \"$cur\"))"
        : flag.values.empty()
            ? "COMPREPLY=()"
            : fmt::format("COMPREPLY=($(compgen -W '{}' -- \"$cur\"))", Words(flag.values));
    out += fmt::format("    {}) {}; return ;;\n", fmt::join(flag.names, "|"), action);
  }
  return out;
}

std::string ZshFlag(const CompletionFlag& flag) {
  std::string out;
  for (const std::string& name : flag.names) {
    std::string value;
    if (flag.takes_file) {
      value = ":file:_files";
    } else if (!flag.values.empty()) {
      value = fmt::format(":value:({})", Words(flag.values));
    } else if (flag.takes_value) {
      value = ":value: ";
    }
    out += fmt::format("    '{}[{}]{}' \\\n", name, Plain(flag.help), value);
  }
  return out;
}

std::string FishFlag(const CompletionFlag& flag, const std::string& condition) {
  std::string line = "complete -c oombox" + condition;
  for (const std::string& name : flag.names) {
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (flag.takes_file) {
    line += " -r -F";
  } else if (!flag.values.empty()) {
    line += fmt::format(" -x -a '{}'", Words(flag.values));
  } else if (flag.takes_value) {
    line += " -x";
  }
  return fmt::format("{} -d '{}'\n", line, Plain(flag.help));
}

}  // namespace

std::string BashCompletion(const CompletionModel& model) {
  std::vector<std::string> verbs;
  std::set<std::string> done;
  std::string values = BashValues(model.flags, &done);
  std::string arms;
  for (const CompletionVerb& verb : model.verbs) {
    verbs.push_back(verb.name);
    values += BashValues(verb.flags, &done);
    std::vector<std::string> words = verb.words;
    for (const std::string& name : NamesOf(verb.flags)) {
      words.push_back(name);
    }
    arms += fmt::format("    {}) words='{}' ;;\n", verb.name, Words(words));
  }
  return fmt::format(R"(# bash completion for oombox; load it with: source <(oombox completion bash)
_oombox() {{
  local cur prev verb words i
  cur="${{COMP_WORDS[COMP_CWORD]}}"
  prev="${{COMP_WORDS[COMP_CWORD-1]}}"
  verb=""
  for ((i = 1; i < COMP_CWORD; i++)); do
    case " {0} " in *" ${{COMP_WORDS[i]}} "*) verb="${{COMP_WORDS[i]}}"; break ;; esac
  done
  case "$prev" in
{1}  esac
  case "$verb" in
    "") words='{0}' ;;
{2}  esac
  COMPREPLY=($(compgen -W "$words {3}" -- "$cur"))
}}
complete -F _oombox oombox
)",
                     Words(verbs), values, arms, Words(NamesOf(model.flags)));
}

std::string ZshCompletion(const CompletionModel& model) {
  std::string flags;
  for (const CompletionFlag& flag : model.flags) {
    flags += ZshFlag(flag);
  }
  std::string verbs;
  std::string arms;
  for (const CompletionVerb& verb : model.verbs) {
    verbs += fmt::format("    '{}:{}'\n", verb.name, Plain(verb.help));
    std::string own;
    for (const CompletionFlag& flag : verb.flags) {
      own += ZshFlag(flag);
    }
    const std::string words =
        verb.words.empty() ? "" : fmt::format("    '*:argument:({})' \\\n", Words(verb.words));
    arms += fmt::format("  {}) _arguments -s \\\n{}{}    $common ;;\n", verb.name, own, words);
  }
  // The flags of every verb are an array, so that each verb can add them to its own.
  std::string common = flags;
  for (size_t at = common.find(" \\\n"); at != std::string::npos; at = common.find(" \\\n", at)) {
    common.erase(at, 2);
  }
  return fmt::format(R"(#compdef oombox
# zsh completion for oombox; load it with: source <(oombox completion zsh)
_oombox() {{
  local -a verbs common
  local verb i
  verbs=(
{0}  )
  common=(
{1}  )
  for ((i = 2; i < CURRENT; i++)); do
    if (( ${{verbs[(I)${{words[i]}}:*]}} )); then
      verb="${{words[i]}}"
      break
    fi
  done
  case "$verb" in
  "") _arguments -s $common '1:verb:{{_describe verb verbs}}' ;;
{2}  esac
}}
compdef _oombox oombox
)",
                     verbs, common, arms);
}

std::string FishCompletion(const CompletionModel& model) {
  std::string out =
      "# fish completion for oombox; load it with: oombox completion fish | source\n"
      "complete -c oombox -f\n";
  for (const CompletionFlag& flag : model.flags) {
    out += FishFlag(flag, "");
  }
  for (const CompletionVerb& verb : model.verbs) {
    out += fmt::format("complete -c oombox -n __fish_use_subcommand -a {} -d '{}'\n", verb.name,
                       Plain(verb.help));
    const std::string seen = fmt::format(" -n '__fish_seen_subcommand_from {}'", verb.name);
    for (const CompletionFlag& flag : verb.flags) {
      out += FishFlag(flag, seen);
    }
    if (!verb.words.empty()) {
      out += fmt::format("complete -c oombox{} -a '{}'\n", seen, Words(verb.words));
    }
  }
  return out;
}

}  // namespace oombox
