#include "tools/oombox/verbs/verbs.h"

namespace oombox {

Result<ExitCode> RunCompletion(const std::string& shell, const CompletionModel& model,
                               Output* out) {
  if (shell == "bash") {
    out->Write(BashCompletion(model));
  } else if (shell == "zsh") {
    out->Write(ZshCompletion(model));
  } else if (shell == "fish") {
    out->Write(FishCompletion(model));
  } else {
    return MakeError(ErrorCode::kInvalid, "no completion for \"{}\"\ntry: bash, zsh or fish",
                     shell);
  }
  return kExitOk;
}

}  // namespace oombox
