#pragma once

#include <string>
#include <string_view>

#include "agent/common/result.h"

namespace oombox {

// A small file becomes `contents` whole or stays as it was, also when killed on the way: it is
// written beside (<path>.next) and renamed. Not synced: after a power cut it may be the old one.
// kPermission with the system's word when the folder cannot be written.
Status ReplaceFile(const std::string& path, std::string_view contents);

}  // namespace oombox
