#include "agent/event/gfp.h"

#include <gtest/gtest.h>

namespace oombox {
namespace {

// As the kernel's own reports print them.
TEST(GfpTest, NamesFlagsAsTheKernelDoes) {
  EXPECT_EQ(GfpFlags(0xcc0), "GFP_KERNEL");
  EXPECT_EQ(GfpFlags(0xdc0), "GFP_KERNEL|__GFP_ZERO");
  EXPECT_EQ(GfpFlags(0x100cca), "GFP_HIGHUSER_MOVABLE");
  EXPECT_EQ(GfpFlags(0x100dca), "GFP_HIGHUSER_MOVABLE|__GFP_ZERO");
  EXPECT_EQ(GfpFlags(0x400cc0), "GFP_KERNEL_ACCOUNT");
  EXPECT_EQ(GfpFlags(0x101c4a), "GFP_NOFS|__GFP_HARDWALL|__GFP_MOVABLE|__GFP_WRITE|__GFP_HIGHMEM");
}

TEST(GfpTest, GivesWhatItDoesNotKnowAsANumber) {
  EXPECT_EQ(GfpFlags(0), "0");
  EXPECT_EQ(GfpFlags(0x80000cc0), "GFP_KERNEL|0x80000000");
}

}  // namespace
}  // namespace oombox
