#include "tools/memhog/json.h"

#include <gtest/gtest.h>

namespace oombox {
namespace {

TEST(JsonTest, WritesEveryKindOfMember) {
  const std::string json = JsonObject()
                               .Text("t", "x")
                               .Number("n", -1)
                               .Unsigned("u", UINT64_MAX)
                               .Bool("b", true)
                               .Object("o", JsonObject())
                               .Array("a", {JsonObject().Bool("c", false), JsonObject()})
                               .ToString();

  EXPECT_EQ(json,
            R"({"t":"x","n":-1,"u":18446744073709551615,"b":true,"o":{},"a":[{"c":false},{}]})");
}

TEST(JsonTest, UnknownIsNullAndNotZero) {
  EXPECT_EQ(JsonObject().Optional("x", std::nullopt).ToString(), R"({"x":null})");
  EXPECT_EQ(JsonObject().Optional("x", 0).ToString(), R"({"x":0})");
}

TEST(JsonTest, EscapesWhatJsonForbids) {
  EXPECT_EQ(JsonObject().Text("t", "a\"b\\c\nd\x01").ToString(), R"({"t":"a\"b\\c\u000ad\u0001"})");
}

}  // namespace
}  // namespace oombox
