#include "agent/query/listen_address.h"

#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <memory>

#include "agent/common/unique_fd.h"

namespace oombox {

namespace {

// Whether somebody accepts connections on the socket file.
bool Answers(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int result =
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  return result == 0 || errno == EAGAIN;  // EAGAIN: its backlog is full
}

Status MakeDirectory(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return MakeSystemError(ErrorCode::kPermission, error.value(),
                           fmt::format("create directory {} for the socket", directory.string()));
  }
  return {};
}

// Tries what gRPC tried; 0 when it works now.
int TcpBindError(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.empty() ? nullptr : host.c_str(), port.c_str(), &hints, &found) != 0) {
    return EADDRNOTAVAIL;
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  const UniqueFd fd(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::bind(fd.get(), found->ai_addr, found->ai_addrlen) == 0 ? 0 : errno;
}

}  // namespace

std::optional<std::string> UnixSocketPath(const std::string& address) {
  constexpr std::string_view kScheme = "unix:";
  if (!address.starts_with(kScheme)) {
    return std::nullopt;
  }
  const std::string path = address.substr(kScheme.size());
  return path.starts_with("///") ? path.substr(2) : path;
}

Status MakeWayForUnixSocket(const std::string& path) {
  if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path)) {
    return MakeError(ErrorCode::kInvalid, "socket path '{}' must have 1 to {} bytes", path,
                     sizeof(sockaddr_un::sun_path) - 1);
  }
  OOMBOX_RETURN_IF_ERROR(MakeDirectory(std::filesystem::absolute(path).parent_path()));
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    return {};
  }
  if (!S_ISSOCK(status.st_mode)) {
    return MakeError(ErrorCode::kInvalid, "{} exists and is no socket; give another path", path);
  }
  if (Answers(path)) {
    return MakeError(ErrorCode::kUnavailable,
                     "another server answers on {}; stop it or give another path", path);
  }
  if (::unlink(path.c_str()) != 0) {
    return MakeSystemError(ErrorCode::kPermission, errno,
                           fmt::format("remove stale socket {}", path));
  }
  return {};
}

Status RestrictUnixSocket(const std::string& path) {
  if (::chmod(path.c_str(), 0660) != 0) {
    return MakeSystemError(ErrorCode::kPermission, errno, fmt::format("chmod 0660 {}", path));
  }
  return {};
}

Error ExplainListenFailure(const std::string& address) {
  if (const auto path = UnixSocketPath(address)) {
    const auto directory = std::filesystem::absolute(*path).parent_path();
    const bool writable = ::access(directory.c_str(), W_OK) == 0;
    const std::string what =
        fmt::format("listen on {} in directory {}", address, directory.string());
    return MakeSystemError(ErrorCode::kPermission, writable ? EADDRNOTAVAIL : errno, what).value();
  }
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) {
    return Error{ErrorCode::kInvalid,
                 fmt::format("listen on '{}': give HOST:PORT or unix:PATH", address), 0};
  }
  std::string host = address.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  const int os_error = TcpBindError(host, address.substr(colon + 1));
  if (os_error == 0) {
    return Error{ErrorCode::kUnavailable,
                 fmt::format("listen on {}: it failed, but would work now; try again", address), 0};
  }
  const bool taken = os_error == EADDRINUSE;
  return MakeSystemError(
             taken ? ErrorCode::kUnavailable : ErrorCode::kPermission, os_error,
             fmt::format("listen on {}{}", address, taken ? " (another program has it)" : ""))
      .value();
}

}  // namespace oombox
