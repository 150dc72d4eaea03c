#pragma once

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <string>

#include "agent/common/result.h"

namespace oombox {

// Files of mutual TLS, reloaded when they change. All empty: no TLS.
struct TlsFiles {
  std::string ca;
  std::string certificate;
  std::string key;
};

// True for unix sockets and loopback addresses ("unix:...", "127.0.0.1:...", "[::1]:...",
// "localhost:...").
bool IsLocalAddress(const std::string& address);

// Plaintext is given only to local addresses or with allow_plaintext. kInvalid names the flag that
// is missing; unreadable files are kInvalid too.
Result<std::shared_ptr<grpc::ChannelCredentials>> ClientCredentials(const std::string& address,
                                                                    const TlsFiles& files,
                                                                    bool allow_plaintext);
Result<std::shared_ptr<grpc::ServerCredentials>> ServerCredentials(const std::string& address,
                                                                   const TlsFiles& files,
                                                                   bool allow_plaintext);

}  // namespace oombox
