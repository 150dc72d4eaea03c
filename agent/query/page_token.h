#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/common/result.h"

namespace oombox {

// A place in an answer, opaque and safe in a URL for the client. It is no secret and gives no
// right: a forged one is a place like any other.
struct PageToken {
  char kind = 0;                // which method made it
  uint64_t arguments_hash = 0;  // of the arguments that must be the same next time
  std::string position = {};
};

std::string EncodePageToken(const PageToken& token);

// kInvalid when the text is no token, was made by another method or for other arguments.
Result<PageToken> DecodePageToken(std::string_view text, char kind, uint64_t arguments_hash);

// Stable over restarts and builds.
uint64_t HashArguments(std::string_view text);

// Numbers in a position, eight bytes each.
void AppendNumber(uint64_t number, std::string* position);
Result<uint64_t> TakeNumber(std::string_view* position);

}  // namespace oombox
