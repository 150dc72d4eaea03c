#pragma once

#include <optional>
#include <string>

#include "agent/common/result.h"

namespace oombox {

// The path of "unix:/path" or "unix:///path"; nothing for other addresses.
std::optional<std::string> UnixSocketPath(const std::string& address);

// Makes way for a socket: creates its directory, removes the file of a server that is gone.
// kUnavailable when a live server answers on it, kInvalid when something else is there, kPermission
// otherwise.
Status MakeWayForUnixSocket(const std::string& path);

// For the owner and the group only. gRPC has bound it by then; with the usual umask nobody else
// could connect in between, because that needs write permission.
Status RestrictUnixSocket(const std::string& path);

// Why listening failed; gRPC itself tells only its log.
Error ExplainListenFailure(const std::string& address);

}  // namespace oombox
