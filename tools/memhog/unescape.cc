#include "tools/memhog/unescape.h"

#include <charconv>

namespace oombox {
namespace {

constexpr std::string_view kEscapes = "nt\\";
constexpr std::string_view kMeanings = "\n\t\\";

}  // namespace

Result<std::string> Unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out.push_back(text[i]);
      continue;
    }
    const char kind = i + 1 < text.size() ? text[i + 1] : '\0';
    if (const size_t which = kEscapes.find(kind); which != std::string_view::npos) {
      out.push_back(kMeanings[which]);
      i += 1;
      continue;
    }
    unsigned value = 0;
    const std::string_view digits = kind == 'x' ? text.substr(i + 2, 2) : "";
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (error != std::errc() || end != digits.data() + 2) {
      return MakeError(ErrorCode::kInvalid,
                       "bad escape at character {} of \"{}\": use \\xNN, \\n, \\t or \\\\", i + 1,
                       text);
    }
    out.push_back(static_cast<char>(value));
    i += 3;
  }
  return out;
}

std::string ToHex(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) {
    out += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  }
  return out;
}

}  // namespace oombox
