#include "agent/identity/knobs.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

namespace oombox {

namespace {

constexpr size_t kMaxKnobs = 32;
constexpr size_t kMaxName = 64;

// Whole names, or ends of names after a '_'.
constexpr std::array<std::string_view, 12> kVariableEnds = {
    "WORKERS",   "CONCURRENCY", "BATCH_SIZE",   "BATCHSIZE", "NUM_THREADS", "MAX_THREADS",
    "POOL_SIZE", "PROCESSES",   "MAX_REQUESTS", "PREFETCH",  "QUEUE_SIZE",  "CACHE_SIZE"};
constexpr std::array<std::string_view, 7> kVariables = {"GOMEMLIMIT",
                                                        "GOGC",
                                                        "GOMAXPROCS",
                                                        "MALLOC_ARENA_MAX",
                                                        "MALLOC_TRIM_THRESHOLD_",
                                                        "MALLOC_MMAP_THRESHOLD_",
                                                        "UV_THREADPOOL_SIZE"};
// Their values are arguments.
constexpr std::array<std::string_view, 5> kArgumentVariables = {
    "JAVA_TOOL_OPTIONS", "JAVA_OPTS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "NODE_OPTIONS"};
// A bare number is so many bytes; everything else counts things.
struct Unit {
  std::string_view option;
  int64_t bytes;
};
constexpr std::array kUnits = {Unit{"max-old-space-size", 1 << 20},     // V8
                               Unit{"max-memory-per-child", 1 << 10}};  // celery

// Short options that only their program gives this meaning.
struct Short {
  std::string_view program;
  std::string_view word;
  std::string_view option;
};
constexpr std::array kShorts = {Short{"gunicorn", "-w", "workers"},
                                Short{"celery", "-c", "concurrency"},
                                Short{"uwsgi", "-p", "processes"}};
constexpr std::array<std::string_view, 5> kShells = {"sh", "bash", "dash", "ash", "zsh"};

// Without dashes in front, with '-' for '_'.
constexpr std::array<std::string_view, 16> kOptions = {"workers",
                                                       "num-workers",
                                                       "concurrency",
                                                       "batch-size",
                                                       "threads",
                                                       "num-threads",
                                                       "processes",
                                                       "pool-size",
                                                       "max-requests",
                                                       "prefetch",
                                                       "max-memory-per-child",
                                                       "max-old-space-size",
                                                       "queue-size",
                                                       "cache-size",
                                                       "limit-concurrency",
                                                       "worker-connections"};
// Java's, with the value behind.
constexpr std::array<std::string_view, 6> kJavaOptions = {"-Xmx",
                                                          "-Xms",
                                                          "-Xss",
                                                          "-XX:MaxRAMPercentage=",
                                                          "-XX:MaxMetaspaceSize=",
                                                          "-XX:MaxDirectMemorySize="};

template <size_t kCount>
bool IsIn(const std::array<std::string_view, kCount>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool IsVariable(std::string_view name) {
  return IsIn(kVariables, name) ||
         std::any_of(kVariableEnds.begin(), kVariableEnds.end(), [&](std::string_view end) {
           return name.ends_with(end) &&
                  (name.size() == end.size() || name[name.size() - end.size() - 1] == '_');
         });
}

// Powers of two, as Java, Go and the field write memory; nothing for what is no unit.
std::optional<int64_t> UnitOf(std::string_view unit) {
  if (unit.empty() || unit == "B") {
    return 1;
  }
  constexpr std::string_view kPrefixes = "kmgt";
  const size_t power = kPrefixes.find(static_cast<char>(unit[0] | 0x20));
  const std::string_view rest = unit.substr(1);
  if (power == std::string_view::npos || !(rest.empty() || rest == "iB" || rest == "B")) {
    return std::nullopt;
  }
  return int64_t{1} << (10 * (power + 1));
}

// "4", "-1", "75.0", "2g", "512MiB"; without a unit it is so many times `bare`.
std::optional<int64_t> NumberIn(std::string_view text, int64_t bare) {
  int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc()) {
    return std::nullopt;
  }
  std::string_view unit(stop, static_cast<size_t>(end - stop));
  if (unit.starts_with('.') && unit.find_first_not_of("0123456789", 1) == std::string_view::npos) {
    unit = {};  // of a percentage the fraction does not matter
  }
  const auto factor = unit.empty() ? std::optional(bare) : UnitOf(unit);
  if (!factor || number > std::numeric_limits<int64_t>::max() / *factor ||
      number < std::numeric_limits<int64_t>::min() / *factor) {
    return std::nullopt;
  }
  return number * *factor;
}

int64_t BareUnit(std::string_view name) {
  for (const Unit& unit : kUnits) {
    if (name.ends_with(unit.option)) {
      return unit.bytes;
    }
  }
  return 1;
}

class Knobs {
 public:
  void Add(std::string_view name, std::string_view value) {
    const auto number = NumberIn(value, BareUnit(name));
    if (number && name.size() <= kMaxName && found_.size() < kMaxKnobs) {
      found_.push_back({std::string(name), *number});
    }
  }
  std::vector<Knob> Take() { return std::move(found_); }

 private:
  std::vector<Knob> found_;
};

// "--batch_size" is "batch-size"; empty when it is none that counts.
std::string OptionName(std::string_view word) {
  if (!word.starts_with("--")) {
    return {};
  }
  std::string name(word.substr(2));
  std::replace(name.begin(), name.end(), '_', '-');
  return IsIn(kOptions, name) ? name : std::string();
}

std::vector<std::string> WordsOf(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (end > 0) {
      words.emplace_back(text.substr(0, end));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

std::string_view BaseName(std::string_view word) {
  return word.substr(word.find_last_of('/') + 1);  // npos + 1 is 0
}

// The option that `word` is short for, of a program named before it.
std::string_view LongFor(const std::vector<std::string>& words, size_t at) {
  for (const Short& is_short : kShorts) {
    if (words[at] == is_short.word &&
        std::any_of(words.begin(), words.begin() + static_cast<ptrdiff_t>(at),
                    [&](const std::string& word) { return BaseName(word) == is_short.program; })) {
      return is_short.option;
    }
  }
  return {};
}

void AddOption(const std::vector<std::string>& words, size_t at, Knobs& knobs) {
  const std::string_view word = words[at];
  const size_t equals = word.find('=');
  const std::string_view next = at + 1 < words.size() ? std::string_view(words[at + 1]) : "";
  if (const std::string name = OptionName(word.substr(0, equals)); !name.empty()) {
    knobs.Add("--" + name, equals != std::string_view::npos ? word.substr(equals + 1) : next);
  } else if (const std::string_view option = LongFor(words, at); !option.empty()) {
    knobs.Add("--" + std::string(option), next);
  }
}

void AddArguments(const std::vector<std::string>& words, Knobs& knobs) {
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    for (const std::string_view java : kJavaOptions) {
      if (word.starts_with(java)) {
        knobs.Add(java.ends_with('=') ? java.substr(0, java.size() - 1) : java,
                  word.substr(java.size()));
      }
    }
    AddOption(words, i, knobs);
  }
  // sh -c "exec gunicorn --workers 4": the words of the script, as far as blanks part them.
  for (size_t i = 1; i + 1 < words.size(); ++i) {
    if (words[i] == "-c" && IsIn(kShells, BaseName(words[i - 1]))) {
      AddArguments(WordsOf(words[i + 1]), knobs);
      return;
    }
  }
}

}  // namespace

std::vector<Knob> KnobsOf(const std::vector<std::string>& arguments,
                          const std::vector<std::string>& environment) {
  Knobs knobs;
  AddArguments(arguments, knobs);
  for (const std::string_view variable : environment) {
    const size_t equals = std::min(variable.find('='), variable.size());
    const std::string_view name = variable.substr(0, equals);
    const std::string_view value = variable.substr(std::min(equals + 1, variable.size()));
    if (IsIn(kArgumentVariables, name)) {
      AddArguments(WordsOf(value), knobs);
    } else if (IsVariable(name)) {
      knobs.Add(name, value);
    }
  }
  return knobs.Take();
}

}  // namespace oombox
