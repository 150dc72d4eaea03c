#include "agent/common/text.h"

#include <gtest/gtest.h>

namespace oombox {
namespace {

TEST(TextTest, KeepsOrdinaryTextInAnyScript) {
  EXPECT_EQ(EscapeUntrusted("python3 \xc3\xa9\xe4\xb8\xad\xf0\x9f\x90\x8d"),
            "python3 \xc3\xa9\xe4\xb8\xad\xf0\x9f\x90\x8d");
}

TEST(TextTest, EscapesControlCharactersAndBackslashes) {
  EXPECT_EQ(EscapeUntrusted("\x1b[2J\r\n\t\x7f\\"), "\\x1b[2J\\x0d\\x0a\\x09\\x7f\\\\");
  EXPECT_EQ(EscapeUntrusted(std::string("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(EscapeUntrusted("\xc2\x9b"), "\\xc2\\x9b");  // C1: CSI in one character
}

TEST(TextTest, EscapesBytesThatAreNotUtf8) {
  EXPECT_EQ(EscapeUntrusted("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(EscapeUntrusted("\xc0\xaf"), "\\xc0\\xaf");                    // overlong
  EXPECT_EQ(EscapeUntrusted("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // surrogate
  EXPECT_EQ(EscapeUntrusted("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
}

TEST(TextTest, EscapesCharactersThatReorderOrHideText) {
  EXPECT_EQ(EscapeUntrusted("\xe2\x80\xae"), "\\xe2\\x80\\xae");  // right-to-left override
  EXPECT_EQ(EscapeUntrusted("\xe2\x80\x8b"), "\\xe2\\x80\\x8b");  // zero-width space
}

TEST(TextTest, MakesAnythingPrintable) {
  std::string all;
  for (int i = 0; i < 256; ++i) {
    all += static_cast<char>(i);
  }

  EXPECT_FALSE(IsPrintableUtf8(all));
  EXPECT_TRUE(IsPrintableUtf8(EscapeUntrusted(all)));
}

TEST(TextTest, KeepsDifferentBytesDifferent) {
  EXPECT_NE(EscapeUntrusted("\x1b"), EscapeUntrusted("\\x1b"));
}

TEST(TextTest, MatchesGlobs) {
  EXPECT_TRUE(GlobMatch("py*3", "python3"));
  EXPECT_TRUE(GlobMatch("*", ""));
  EXPECT_TRUE(GlobMatch("a*b*c", "aXbYbZc"));
  EXPECT_FALSE(GlobMatch("py*3", "python"));
  EXPECT_FALSE(GlobMatch("", "x"));
  EXPECT_TRUE(GlobMatch("[a]?", "[a]?"));
}

}  // namespace
}  // namespace oombox
