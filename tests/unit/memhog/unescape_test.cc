#include "tools/memhog/unescape.h"

#include <gtest/gtest.h>

namespace oombox {
namespace {

TEST(UnescapeTest, LeavesPlainTextAlone) { EXPECT_EQ(Unescape("python3").value(), "python3"); }

TEST(UnescapeTest, UnderstandsEveryEscape) {
  EXPECT_EQ(Unescape("\\x1b[2J\\n\\t\\\\\\xff\\xC3").value(), "\x1b[2J\n\t\\\xff\xc3");
}

TEST(UnescapeTest, RefusesWhatIsNoEscape) {
  for (const char* text : {"\\", "a\\q", "\\x", "\\x1", "\\xg1", "\\x1g", "\\x+1"}) {
    EXPECT_FALSE(Unescape(text).has_value()) << text;
  }
}

TEST(UnescapeTest, HexShowsEveryByte) { EXPECT_EQ(ToHex("\xff\x01 a"), "ff012061"); }

}  // namespace
}  // namespace oombox
