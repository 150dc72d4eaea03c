#include "agent/common/metrics_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <exception>
#include <optional>
#include <utility>

#include "agent/common/unique_fd.h"

namespace oombox {

namespace {

struct Address {
  std::string host;  // of an IPv6 address without the brackets
  uint16_t port = 0;
  sockaddr_storage socket = {};
  socklen_t socket_bytes = 0;

  bool v6() const { return socket.ss_family == AF_INET6; }
  // The form the web server reads; its own extensions (suffixes, lists) cannot come through.
  std::string text() const {
    return v6() ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
  }
};

std::optional<uint16_t> ParsePort(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && !text.empty() ? std::optional(port) : std::nullopt;
}

bool FillSocket(Address& address, bool bracketed) {
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.socket);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.socket);
  if (!bracketed && ::inet_pton(AF_INET, address.host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address.port);
    address.socket_bytes = sizeof *v4;
    return true;
  }
  if (bracketed && ::inet_pton(AF_INET6, address.host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(address.port);
    address.socket_bytes = sizeof *v6;
    return true;
  }
  return false;
}

Result<Address> ParseAddress(const std::string& text) {
  const auto refuse = [&](std::string_view why) {
    return MakeError(ErrorCode::kInvalid,
                     "cannot serve metrics on '{}': {}; give ADDRESS:PORT, for instance "
                     "127.0.0.1:9464 or [::1]:9464",
                     text, why);
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) {
    return refuse("no port");
  }
  const auto port = ParsePort(std::string_view(text).substr(colon + 1));
  if (!port) {
    return refuse("the port is no number from 0 to 65535");
  }
  std::string host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
  } else if (host == "localhost") {
    host = "127.0.0.1";
  }
  Address address{.host = host, .port = *port};
  if (!FillSocket(address, bracketed)) {
    return refuse("the part before the port is no IP address");
  }
  return address;
}

// The web server says only that it failed: tries what it tried. 0 when it works now.
int BindError(const Address& address) {
  const UniqueFd fd(::socket(address.socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) {
    return errno;
  }
  // As the web server does: a port whose last connections linger can be bound again.
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address.socket), address.socket_bytes) !=
      0) {
    return errno;
  }
  return ::listen(fd.get(), 1) == 0 ? 0 : errno;
}

Error ExplainBindError(const Address& address, std::string_view reason) {
  const int os_error = BindError(address);
  const std::string what = fmt::format("cannot serve metrics on {}", address.text());
  const auto error = [&](ErrorCode code, std::string_view remedy) {
    return Error{code, fmt::format("{}: {}; {}", what, std::strerror(os_error), remedy), os_error};
  };
  switch (os_error) {
    case 0:
      return Error{ErrorCode::kInternal, fmt::format("{}: {}", what, reason), 0};
    case EADDRINUSE:
      return error(ErrorCode::kUnavailable,
                   "another program has it: give metrics-listen another port, or leave it empty");
    case EACCES:
      return error(ErrorCode::kPermission, "give metrics-listen a port above 1023");
    case EADDRNOTAVAIL:
      return error(ErrorCode::kPermission,
                   "this machine has no such address: 127.0.0.1 always works");
    default:
      return error(ErrorCode::kPermission, "give metrics-listen another address");
  }
}

class FunctionCollectable final : public prometheus::Collectable {
 public:
  explicit FunctionCollectable(CollectMetrics collect) : collect_(std::move(collect)) {}
  std::vector<prometheus::MetricFamily> Collect() const override { return collect_(); }

 private:
  const CollectMetrics collect_;
};

class ExposedMetrics final : public MetricsServer {
 public:
  ExposedMetrics(const Address& address, CollectMetrics collect)
      : collectable_(std::make_shared<FunctionCollectable>(std::move(collect))),
        // A client that says nothing holds one of two threads: not for long.
        exposer_(std::vector<std::string>{"listening_ports", address.text(), "num_threads", "2",
                                          "request_timeout_ms", "5000"}) {
    exposer_.RegisterCollectable(collectable_);
  }

  uint16_t port() const override {
    const std::vector<int> ports = exposer_.GetListeningPorts();
    return ports.empty() ? 0 : static_cast<uint16_t>(ports.front());
  }

 private:
  const std::shared_ptr<FunctionCollectable> collectable_;  // the exposer holds it weakly
  prometheus::Exposer exposer_;
};

}  // namespace

Result<std::unique_ptr<MetricsServer>> MetricsServer::Start(const std::string& address,
                                                            CollectMetrics collect) {
  OOMBOX_TRY(const Address parsed, ParseAddress(address));
  try {
    return std::unique_ptr<MetricsServer>(
        std::make_unique<ExposedMetrics>(parsed, std::move(collect)));
  } catch (const std::exception& e) {
    return tl::unexpected(ExplainBindError(parsed, e.what()));
  }
}

Status CheckMetricsAddress(const std::string& address) {
  OOMBOX_RETURN_IF_ERROR(ParseAddress(address));
  return {};
}

}  // namespace oombox
