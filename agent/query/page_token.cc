#include "agent/query/page_token.h"

namespace oombox {

namespace {

constexpr char kVersion = 1;
constexpr size_t kMaxTextBytes = 1024;
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// RFC 4648 section 5, without padding.
std::string ToBase64Url(std::string_view bytes) {
  std::string text;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) {
      text.push_back(kAlphabet[(bits >> (count - 6)) & 63]);
    }
  }
  if (count > 0) {
    text.push_back(kAlphabet[(bits << (6 - count)) & 63]);
  }
  return text;
}

Result<std::string> FromBase64Url(std::string_view text) {
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) {
      return MakeError(ErrorCode::kInvalid, "not a token of this server");
    }
    bits = (bits << 6) | static_cast<uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<char>((bits >> count) & 0xff));
    }
  }
  return bytes;
}

}  // namespace

std::string EncodePageToken(const PageToken& token) {
  std::string bytes = {kVersion, token.kind};
  AppendNumber(token.arguments_hash, &bytes);
  return ToBase64Url(bytes + token.position);
}

Result<PageToken> DecodePageToken(std::string_view text, char kind, uint64_t arguments_hash) {
  if (text.size() > kMaxTextBytes) {
    return MakeError(ErrorCode::kInvalid, "not a token of this server");
  }
  OOMBOX_TRY(const std::string bytes, FromBase64Url(text));
  if (bytes.size() < 2 || bytes[0] != kVersion || bytes[1] != kind) {
    return MakeError(ErrorCode::kInvalid, "not a token of this server; begin again without one");
  }
  std::string_view rest = std::string_view(bytes).substr(2);
  OOMBOX_TRY(const uint64_t hash, TakeNumber(&rest));
  if (hash != arguments_hash) {
    return MakeError(ErrorCode::kInvalid,
                     "the token belongs to a request with other arguments; repeat those or begin "
                     "again without it");
  }
  return PageToken{kind, hash, std::string(rest)};
}

uint64_t HashArguments(std::string_view text) {
  // FNV-1a, 64 bits.
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash;
}

void AppendNumber(uint64_t number, std::string* position) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    position->push_back(static_cast<char>((number >> shift) & 0xff));
  }
}

Result<uint64_t> TakeNumber(std::string_view* position) {
  constexpr size_t kBytes = 8;
  if (position->size() < kBytes) {
    return MakeError(ErrorCode::kInvalid, "the token is cut off; begin again without it");
  }
  uint64_t number = 0;
  for (const char c : position->substr(0, kBytes)) {
    number = (number << 8) | static_cast<unsigned char>(c);
  }
  position->remove_prefix(kBytes);
  return number;
}

}  // namespace oombox
