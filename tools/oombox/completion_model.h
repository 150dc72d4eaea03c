#pragma once

#include <string>
#include <vector>

namespace oombox {

// What can be typed, read from the parser itself: completion never lags behind.
struct CompletionFlag {
  std::vector<std::string> names;  // "--output", "-o"
  std::string help;                // first sentence
  bool takes_value = false;
  bool takes_file = false;
  std::vector<std::string> values;  // when only these make sense
};

struct CompletionVerb {
  std::string name;
  std::string help;
  std::vector<CompletionFlag> flags;
  std::vector<std::string> words;  // arguments that can be known
};

struct CompletionModel {
  std::vector<CompletionFlag> flags;  // of every verb
  std::vector<CompletionVerb> verbs;
};

std::string BashCompletion(const CompletionModel& model);
std::string ZshCompletion(const CompletionModel& model);
std::string FishCompletion(const CompletionModel& model);

}  // namespace oombox
