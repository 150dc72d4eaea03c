#include "agent/common/text.h"

#include <fmt/format.h>

#include <cstdint>

namespace oombox {

namespace {

struct Decoded {
  uint32_t code_point = 0;
  size_t length = 0;  // 0: not a well-formed sequence
};

// One UTF-8 sequence at the start of `bytes`, by table 3-7 of the Unicode standard (no overlong
// forms, no surrogates, nothing above U+10FFFF).
Decoded DecodeUtf8(std::string_view bytes) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char lead = at(0);
  if (lead < 0x80) {
    return {lead, 1};
  }
  size_t length = 0;
  uint32_t code_point = 0;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
    code_point = lead & 0x1F;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    code_point = lead & 0x0F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    code_point = lead & 0x07;
  }
  if (length == 0 || bytes.size() < length) {
    return {};
  }
  for (size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0) != 0x80) {
      return {};
    }
    code_point = (code_point << 6) | (at(i) & 0x3F);
  }
  const bool overlong =
      (length == 3 && code_point < 0x800) || (length == 4 && code_point < 0x10000);
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  if (overlong || surrogate || code_point > 0x10FFFF) {
    return {};
  }
  return {code_point, length};
}

// Characters that move the cursor, change the direction of text or cannot be seen.
bool IsHarmful(uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) ||         // C0, DEL, C1
         c == 0x061C || (c >= 0x200B && c <= 0x200F) ||  // marks, zero width
         (c >= 0x2028 && c <= 0x202E) ||                 // separators, embeddings, overrides
         (c >= 0x2060 && c <= 0x206F) ||                 // joiners, isolates
         c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE007F);  // tags
}

}  // namespace

size_t Utf8Length(std::string_view bytes) { return DecodeUtf8(bytes).length; }

std::string EscapeUntrusted(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const Decoded decoded = DecodeUtf8(bytes);
    const size_t length = decoded.length == 0 ? 1 : decoded.length;
    if (decoded.length == 0 || IsHarmful(decoded.code_point)) {
      for (const char c : bytes.substr(0, length)) {
        fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
      }
    } else if (decoded.code_point == '\\') {
      out += "\\\\";
    } else {
      out += bytes.substr(0, length);
    }
    bytes.remove_prefix(length);
  }
  return out;
}

bool IsPrintableUtf8(std::string_view text) {
  while (!text.empty()) {
    const Decoded decoded = DecodeUtf8(text);
    if (decoded.length == 0 || IsHarmful(decoded.code_point)) {
      return false;
    }
    text.remove_prefix(decoded.length);
  }
  return true;
}

bool GlobMatch(std::string_view pattern, std::string_view text) {
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;
  size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') {
    ++p;
  }
  return p == pattern.size();
}

}  // namespace oombox
