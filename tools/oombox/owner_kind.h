#pragma once

#include <string>
#include <string_view>

namespace oombox {

// "deploy/ocr" as "deployment/ocr": kubectl's short and plural names of the kinds that make pods.
// What has another kind, or none, stays as it is.
std::string FullOwner(std::string_view owner);

// True for the kinds FullOwner knows.
bool IsOwnerKind(std::string_view kind);

}  // namespace oombox
