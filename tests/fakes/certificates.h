#pragma once

#include <string>

namespace oombox {

// Certificates for tests, valid for an hour, written as PEM files <name>.crt and <name>.key.
class CertificateAuthority {
 public:
  // The authority's own certificate goes to <directory>/<name>.crt.
  CertificateAuthority(std::string directory, std::string name);

  // For 127.0.0.1 and localhost.
  void Issue(const std::string& name) const;

  std::string certificate() const { return certificate_of(name_); }
  std::string certificate_of(const std::string& name) const {
    return directory_ + "/" + name + ".crt";
  }
  std::string key_of(const std::string& name) const { return directory_ + "/" + name + ".key"; }

 private:
  const std::string directory_;
  const std::string name_;
};

}  // namespace oombox
