#include "tests/fakes/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>

namespace oombox {

namespace {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using File = std::unique_ptr<FILE, Deleter<fclose>>;

constexpr long kSecondsValid = 3600;

void AddExtension(X509* certificate, int nid, const char* value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate NewCertificate(EVP_PKEY* key, const std::string& name) {
  static long serial = 0;
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kSecondsValid);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kSecondsValid);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return certificate;
}

void WriteFiles(X509* certificate, EVP_PKEY* key, const std::string& certificate_path,
                const std::string& key_path) {
  const File certificate_file(fopen(certificate_path.c_str(), "w"));
  PEM_write_X509(certificate_file.get(), certificate);
  const File key_file(fopen(key_path.c_str(), "w"));
  PEM_write_PrivateKey(key_file.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
}

}  // namespace

CertificateAuthority::CertificateAuthority(std::string directory, std::string name)
    : directory_(std::move(directory)), name_(std::move(name)) {
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate = NewCertificate(key.get(), name_);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  AddExtension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  WriteFiles(certificate.get(), key.get(), certificate_of(name_), key_of(name_));
}

void CertificateAuthority::Issue(const std::string& name) const {
  const File ca_file(fopen(certificate().c_str(), "r"));
  const Certificate ca(PEM_read_X509(ca_file.get(), nullptr, nullptr, nullptr));
  const File ca_key_file(fopen(key_of(name_).c_str(), "r"));
  const Key ca_key(PEM_read_PrivateKey(ca_key_file.get(), nullptr, nullptr, nullptr));
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate = NewCertificate(key.get(), name);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(ca.get()));
  AddExtension(certificate.get(), NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
  X509_sign(certificate.get(), ca_key.get(), EVP_sha256());
  WriteFiles(certificate.get(), key.get(), certificate_of(name), key_of(name));
}

}  // namespace oombox
