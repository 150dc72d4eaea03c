#include "agent/query/page_token.h"

#include <gtest/gtest.h>

namespace oombox {
namespace {

TEST(PageTokenTest, GivesBackWhatWasPutIn) {
  for (size_t size = 0; size < 20; ++size) {
    std::string position;
    for (size_t i = 0; i < size; ++i) {
      position.push_back(static_cast<char>(i * 53));
    }
    const std::string text =
        EncodePageToken({.kind = 'l', .arguments_hash = ~0ull - size, .position = position});

    EXPECT_EQ(
        text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
        std::string::npos);
    EXPECT_EQ(DecodePageToken(text, 'l', ~0ull - size).value().position, position);
  }
}

TEST(PageTokenTest, RefusesWhatIsNoTokenOfThisMethodAndTheseArguments) {
  const std::string text = EncodePageToken({.kind = 'l', .arguments_hash = 7, .position = "x"});

  EXPECT_EQ(DecodePageToken(text, 'w', 7).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(DecodePageToken(text, 'l', 8).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(DecodePageToken(text + "!", 'l', 7).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(DecodePageToken(text.substr(0, 6), 'l', 7).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(DecodePageToken("", 'l', 7).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(DecodePageToken(std::string(100'000, 'A'), 'l', 7).error().code, ErrorCode::kInvalid);
}

TEST(PageTokenTest, NumbersOfAPositionAreTakenInOrder) {
  std::string position;
  AppendNumber(1, &position);
  AppendNumber(~0ull, &position);

  std::string_view rest = position;
  EXPECT_EQ(TakeNumber(&rest).value(), 1u);
  EXPECT_EQ(TakeNumber(&rest).value(), ~0ull);
  EXPECT_FALSE(TakeNumber(&rest).has_value());
}

TEST(PageTokenTest, TheHashNeverChanges) {
  EXPECT_EQ(HashArguments("a"), 0xaf63dc4c8601ec8cull);  // the published value of FNV-1a
}

}  // namespace
}  // namespace oombox
