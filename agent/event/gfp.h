#pragma once

#include <cstdint>
#include <string>

namespace oombox {

// Flags of an allocation as the kernel's own report names them (include/trace/events/mmflags.h),
// "GFP_HIGHUSER_MOVABLE|__GFP_ZERO". Bits up to __GFP_ACCOUNT (0x400000) are the same in every
// kernel since 5.10; others are given as a number. "0" for none. Pure.
std::string GfpFlags(uint32_t mask);

}  // namespace oombox
