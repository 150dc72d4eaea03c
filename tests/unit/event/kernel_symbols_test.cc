#include "agent/symbolizer/kernel_symbols.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

using ::testing::ElementsAre;

class KernelSymbolsTest : public ::testing::Test {
 protected:
  std::string File(const std::string& text) {
    const std::string path = dir_.File("kallsyms");
    std::ofstream(path) << text;
    return path;
  }

  TempDir dir_;
};

TEST_F(KernelSymbolsTest, NamesTheCodeThatAnAddressLiesIn) {
  const auto symbols =
      KernelSymbols::Open(File("ffffffff81000000 T _text\n"
                               "ffffffff81000300 t third\n"  // not sorted
                               "ffffffff81000100 t first\n"
                               "ffffffff81000180 d no_code\n"
                               "ffffffff81000200 W second\n"
                               "ffffffffc0000000 t in_module\t[ext4]\n"));
  ASSERT_TRUE(symbols.has_value()) << symbols.error().message;
  const std::vector<uint64_t> addresses = {0xffffffff81000110, 0xffffffff81000190,
                                           0xffffffff81000200, 0xffffffff810002ff,
                                           0xffffffffc0000004, 0x10};

  EXPECT_THAT((*symbols)->LookUp(addresses), ElementsAre("first+0x10", "first+0x90", "second+0x0",
                                                         "second+0xff", "in_module+0x4", ""));
}

TEST_F(KernelSymbolsTest, RemembersWhatItLookedUp) {
  const auto symbols = KernelSymbols::Open(File("ffffffff81000000 T _text\n"));
  const std::vector<uint64_t> address = {0xffffffff81000001};

  EXPECT_EQ((*symbols)->Known(address), std::nullopt);
  (*symbols)->LookUp(address);
  EXPECT_THAT(*(*symbols)->Known(address), ElementsAre("_text+0x1"));
}

TEST_F(KernelSymbolsTest, SaysThatAddressesAreHidden) {
  const auto symbols = KernelSymbols::Open(File("0000000000000000 T _text\n"));

  ASSERT_FALSE(symbols.has_value());
  EXPECT_EQ(symbols.error().code, ErrorCode::kPermission);
}

TEST_F(KernelSymbolsTest, SaysThatThereIsNoSuchFile) {
  EXPECT_EQ(KernelSymbols::Open(dir_.File("none")).error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace oombox
