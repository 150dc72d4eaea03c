#include "tools/oombox/connect_error.h"

#include <algorithm>
#include <array>

namespace oombox {

const std::string kDefaultCollector = "127.0.0.1:5137";
const std::string kDefaultAgentSocket = "/run/oombox/agent.sock";

namespace {

constexpr std::string_view kUnixPrefix = "unix:";

enum class Trouble { kRefused, kMissing, kForbidden, kNoSuchHost, kTls, kOther };

struct Symptom {
  std::string_view text;  // strerror's or gRPC's words
  Trouble trouble;
  std::string_view cause;
};
constexpr std::array<Symptom, 8> kSymptoms = {{
    {"Connection refused", Trouble::kRefused, "connection refused"},
    {"No such file or directory", Trouble::kMissing, "no such socket"},
    {"Permission denied", Trouble::kForbidden, "permission denied"},
    {"DNS resolution failed", Trouble::kNoSuchHost, "no such host"},
    {"Name or service not known", Trouble::kNoSuchHost, "no such host"},
    {"Ssl handshake failed", Trouble::kTls, "the TLS handshake failed"},
    {"SSL_ERROR", Trouble::kTls, "the TLS handshake failed"},
    {"Peer name", Trouble::kTls, "its certificate is for another name"},
}};

const Symptom* Recognize(std::string_view cause) {
  const auto* found = std::find_if(kSymptoms.begin(), kSymptoms.end(), [&](const Symptom& s) {
    return cause.find(s.text) != std::string_view::npos;
  });
  return found == kSymptoms.end() ? nullptr : found;
}

std::string AgentRemedy(const std::string& path, Trouble trouble) {
  switch (trouble) {
    case Trouble::kForbidden:
      return fmt::format(
          "try: as root (sudo oombox --local ...)\n"
          "     or as a member of the group that owns the socket: ls -l {}",
          path);
    case Trouble::kMissing:
      return fmt::format(
          "is the agent running on this node? oombox-agent makes {} once it is ready\n"
          "try: OOMBOX_AGENT_SOCKET=PATH oombox --local ...   (a socket elsewhere)\n"
          "     oombox --server ADDR ...   (ask a collector instead)",
          path);
    default:
      return "a socket is there and nobody listens: the agent has probably stopped\n"
             "try: start oombox-agent, or look at its last log lines";
  }
}

std::string CollectorRemedy(const std::string& address, Trouble trouble) {
  if (trouble == Trouble::kTls) {
    return "try: --tls-ca FILE (and --tls-cert, --tls-key) that fit the collector's\n"
           "     --insecure, if it speaks plaintext on purpose";
  }
  std::string text = "try: oombox --local ...         (ask this node's agent)\n";
  if (address == kDefaultCollector) {
    text += "     kubectl port-forward ...   (bring a cluster's collector to this address)\n";
  }
  return text + "     --server ADDR or OOMBOX_SERVER=ADDR   (a collector elsewhere)";
}

}  // namespace

std::string DescribeAddress(const std::string& address) {
  return address.starts_with(kUnixPrefix) ? fmt::format("this node's agent at {}", address)
                                          : fmt::format("the collector at {}", address);
}

Error ConnectError(const std::string& address, std::string_view cause) {
  const Symptom* symptom = Recognize(cause);
  const Trouble trouble = symptom != nullptr ? symptom->trouble : Trouble::kOther;
  const std::string_view reason = symptom != nullptr ? symptom->cause : cause;
  const std::string remedy = address.starts_with(kUnixPrefix)
                                 ? AgentRemedy(address.substr(kUnixPrefix.size()), trouble)
                                 : CollectorRemedy(address, trouble);
  const ErrorCode code =
      trouble == Trouble::kForbidden ? ErrorCode::kPermission : ErrorCode::kUnavailable;
  return {code, fmt::format("cannot reach {}: {}\n{}", DescribeAddress(address), reason, remedy),
          0};
}

bool MayPass(std::string_view cause) {
  const Symptom* symptom = Recognize(cause);
  return symptom == nullptr || symptom->trouble == Trouble::kRefused;
}

}  // namespace oombox
