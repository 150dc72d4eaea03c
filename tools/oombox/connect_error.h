#pragma once

#include <string>
#include <string_view>

#include "agent/common/result.h"

namespace oombox {

// "127.0.0.1:5137" where no other is named.
extern const std::string kDefaultCollector;
extern const std::string kDefaultAgentSocket;

// "this node's agent (unix:/run/...)" or "the collector at ADDRESS".
std::string DescribeAddress(const std::string& address);

// Why nobody answers at `address`, in one line, and below it what to try. `cause` is gRPC's own
// text.
Error ConnectError(const std::string& address, std::string_view cause);

// False when trying again cannot help: no such socket, not allowed, no such host.
bool MayPass(std::string_view cause);

}  // namespace oombox
