#include "agent/recording.h"

#include <filesystem>

namespace oombox {

Status CopyRecording(const std::string& recording, const std::string& journal_path) {
  if (std::filesystem::exists(journal_path)) {
    return MakeError(ErrorCode::kInvalid,
                     "the state folder is in use: {} exists; replay into a new one (--state-dir)",
                     journal_path);
  }
  std::error_code error;
  std::filesystem::copy_file(recording, journal_path, error);
  if (error) {
    return MakeError(ErrorCode::kInvalid, "cannot read the recording {}: {}", recording,
                     error.message());
  }
  return {};
}

}  // namespace oombox
