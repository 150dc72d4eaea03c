#include "agent/common/credentials.h"

#include <arpa/inet.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <string_view>

namespace oombox {

namespace {

namespace tls = grpc::experimental;

// How long a replaced certificate may stay unnoticed.
constexpr unsigned int kReloadSeconds = 30;
constexpr size_t kMaxPemBytes = 1 << 20;

bool IsUnixSocket(std::string_view address) {
  return address.starts_with("unix:") || address.starts_with("unix-abstract:");
}

std::string HostOf(std::string_view address) {
  for (const std::string_view scheme : {"dns:///", "dns:", "ipv4:", "ipv6:"}) {
    if (address.starts_with(scheme)) {
      address.remove_prefix(scheme.size());
      break;
    }
  }
  if (address.starts_with('[')) {
    return std::string(address.substr(1, address.find(']') - 1));
  }
  return std::string(address.substr(0, address.rfind(':')));
}

bool AnyGiven(const TlsFiles& files) {
  return !files.ca.empty() || !files.certificate.empty() || !files.key.empty();
}

Status CheckPem(const char* setting, const std::string& path) {
  if (path.empty()) {
    return {};
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return MakeSystemError(ErrorCode::kInvalid, errno, fmt::format("{} {}", setting, path));
  }
  std::string text(kMaxPemBytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.find("-----BEGIN ") == std::string::npos) {
    return MakeError(ErrorCode::kInvalid, "{} {}: not a PEM file", setting, path);
  }
  return {};
}

// gRPC aborts on half a key pair and says nothing about files it cannot read, so both are checked
// here.
Status CheckFiles(const TlsFiles& files) {
  if (files.certificate.empty() != files.key.empty()) {
    return MakeError(ErrorCode::kInvalid, "tls-cert and tls-key belong together: give both");
  }
  OOMBOX_RETURN_IF_ERROR(CheckPem("tls-ca", files.ca));
  OOMBOX_RETURN_IF_ERROR(CheckPem("tls-cert", files.certificate));
  return CheckPem("tls-key", files.key);
}

Status CheckPlaintext(const std::string& address, bool allow_plaintext) {
  if (allow_plaintext || IsLocalAddress(address)) {
    return {};
  }
  return MakeError(
      ErrorCode::kInvalid,
      "{} is not local and no TLS files are given: set tls-ca, tls-cert and tls-key, or "
      "allow plaintext with --insecure",
      address);
}

std::shared_ptr<tls::FileWatcherCertificateProvider> Watch(const TlsFiles& files) {
  return std::make_shared<tls::FileWatcherCertificateProvider>(files.key, files.certificate,
                                                               files.ca, kReloadSeconds);
}

}  // namespace

bool IsLocalAddress(const std::string& address) {
  if (IsUnixSocket(address)) {
    return true;
  }
  const std::string host = HostOf(address);
  if (host == "localhost") {
    return true;
  }
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    return (ntohl(v4.s_addr) >> 24) == 127;
  }
  in6_addr v6{};
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

// A unix socket is guarded by its file permissions and has no host name a certificate could prove:
// it is plaintext on both sides, whatever TLS files are set for other addresses.
Result<std::shared_ptr<grpc::ChannelCredentials>> ClientCredentials(const std::string& address,
                                                                    const TlsFiles& files,
                                                                    bool allow_plaintext) {
  if (IsUnixSocket(address) || !AnyGiven(files)) {
    OOMBOX_RETURN_IF_ERROR(CheckPlaintext(address, allow_plaintext));
    return grpc::InsecureChannelCredentials();
  }
  OOMBOX_RETURN_IF_ERROR(CheckFiles(files));
  tls::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(Watch(files));
  if (!files.ca.empty()) {
    options.watch_root_certs();  // otherwise the system's roots
  }
  if (!files.certificate.empty()) {
    options.watch_identity_key_cert_pairs();
  }
  options.set_certificate_verifier(std::make_shared<tls::HostNameCertificateVerifier>());
  return tls::TlsCredentials(options);
}

Result<std::shared_ptr<grpc::ServerCredentials>> ServerCredentials(const std::string& address,
                                                                   const TlsFiles& files,
                                                                   bool allow_plaintext) {
  if (IsUnixSocket(address) || !AnyGiven(files)) {
    OOMBOX_RETURN_IF_ERROR(CheckPlaintext(address, allow_plaintext));
    return grpc::InsecureServerCredentials();
  }
  OOMBOX_RETURN_IF_ERROR(CheckFiles(files));
  if (files.certificate.empty()) {
    return MakeError(ErrorCode::kInvalid,
                     "tls-ca alone cannot serve: give tls-cert and tls-key too");
  }
  tls::TlsServerCredentialsOptions options(Watch(files));
  options.watch_identity_key_cert_pairs();
  if (!files.ca.empty()) {
    options.watch_root_certs();
    options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return tls::TlsServerCredentials(options);
}

}  // namespace oombox
