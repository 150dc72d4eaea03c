#include "agent/event/event_id.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>

namespace oombox {

std::string EventIdFromName(std::string_view name) {
  constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(name.data()), name.size(), digest.data());
  std::string id;
  uint32_t bits = 0;
  int available = 0;
  for (size_t i = 0; i < 10; ++i) {
    bits = (bits << 8) | digest[i];
    available += 8;
    while (available >= 5) {
      available -= 5;
      id += kAlphabet[(bits >> available) & 31];
    }
  }
  return id;
}

std::string KillEventId(std::string_view boot_id, uint32_t tgid, uint64_t start_boottime_ns) {
  return EventIdFromName(fmt::format("kill/{}/{}/{}", boot_id, tgid, start_boottime_ns));
}

}  // namespace oombox
