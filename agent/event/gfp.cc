#include "agent/event/gfp.h"

#include <fmt/format.h>

#include <array>

namespace oombox {

namespace {

struct Flag {
  uint32_t bits;
  const char* name;
};

// In the kernel's order: a compound name is taken before its parts.
constexpr std::array kFlags = {
    Flag{0x1c24ca, "GFP_TRANSHUGE"},
    Flag{0x1c20ca, "GFP_TRANSHUGE_LIGHT"},
    Flag{0x100cca, "GFP_HIGHUSER_MOVABLE"},
    Flag{0x100cc2, "GFP_HIGHUSER"},
    Flag{0x100cc0, "GFP_USER"},
    Flag{0x400cc0, "GFP_KERNEL_ACCOUNT"},
    Flag{0xcc0, "GFP_KERNEL"},
    Flag{0xc40, "GFP_NOFS"},
    Flag{0xc00, "GFP_NOIO"},
    Flag{0x1, "GFP_DMA"},
    Flag{0x4, "GFP_DMA32"},
    Flag{0x20, "__GFP_HIGH"},
    Flag{0x40, "__GFP_IO"},
    Flag{0x80, "__GFP_FS"},
    Flag{0x2000, "__GFP_NOWARN"},
    Flag{0x4000, "__GFP_RETRY_MAYFAIL"},
    Flag{0x8000, "__GFP_NOFAIL"},
    Flag{0x10000, "__GFP_NORETRY"},
    Flag{0x40000, "__GFP_COMP"},
    Flag{0x100, "__GFP_ZERO"},
    Flag{0x80000, "__GFP_NOMEMALLOC"},
    Flag{0x20000, "__GFP_MEMALLOC"},
    Flag{0x100000, "__GFP_HARDWALL"},
    Flag{0x200000, "__GFP_THISNODE"},
    Flag{0x10, "__GFP_RECLAIMABLE"},
    Flag{0x8, "__GFP_MOVABLE"},
    Flag{0x400000, "__GFP_ACCOUNT"},
    Flag{0x1000, "__GFP_WRITE"},
    Flag{0x400, "__GFP_DIRECT_RECLAIM"},
    Flag{0x800, "__GFP_KSWAPD_RECLAIM"},
    Flag{0x2, "__GFP_HIGHMEM"},
};

}  // namespace

std::string GfpFlags(uint32_t mask) {
  std::string text;
  for (const Flag& flag : kFlags) {
    if ((mask & flag.bits) == flag.bits) {
      text += fmt::format("{}{}", text.empty() ? "" : "|", flag.name);
      mask &= ~flag.bits;
    }
  }
  if (mask != 0) {
    text += fmt::format("{}{:#x}", text.empty() ? "" : "|", mask);
  }
  return text.empty() ? "0" : text;
}

}  // namespace oombox
