#include "agent/common/log.h"

#include <gmock/gmock.h>
#include <google/protobuf/message.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <spdlog/spdlog.h>

namespace oombox {
namespace {

namespace pb = google::protobuf;
using testing::EndsWith;
using testing::HasSubstr;

class LogTest : public testing::Test {
 protected:
  LogTest() : before_(spdlog::default_logger()) {}
  ~LogTest() override { spdlog::set_default_logger(before_); }

  // What `log` writes to stderr.
  template <typename Log>
  static std::string Written(const std::string& format, const std::string& level, Log log) {
    testing::internal::CaptureStderr();
    EXPECT_TRUE(SetUpLog("oombox-test", format, level).has_value());
    log();
    return testing::internal::GetCapturedStderr();
  }
  static std::string AsJson(const std::string& message) {
    return Written("json", "info", [&] { spdlog::warn("{}", message); });
  }
  // A field of the one object on the one line; "" when it is none. By reflection: what protobuf's
  // headers inline of a map has another layout under ThreadSanitizer than in Debian's library.
  static std::string Field(const std::string& line, const std::string& name) {
    const auto* type = pb::Struct::descriptor();
    const std::unique_ptr<pb::Message> object(
        pb::MessageFactory::generated_factory()->GetPrototype(type)->New());
    EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
    const auto status = pb::util::JsonStringToMessage(line, object.get());
    EXPECT_TRUE(status.ok()) << status.ToString() << ": " << line;
    const auto* fields = type->FindFieldByName("fields");
    for (int i = 0; i < object->GetReflection()->FieldSize(*object, fields); ++i) {
      const pb::Message& entry = object->GetReflection()->GetRepeatedMessage(*object, fields, i);
      if (Text(entry, "key") == name) {
        const auto* value = entry.GetDescriptor()->FindFieldByName("value");
        return Text(entry.GetReflection()->GetMessage(entry, value), "string_value");
      }
    }
    return "";
  }
  static std::string Text(const pb::Message& message, const std::string& field) {
    return message.GetReflection()->GetString(message,
                                              message.GetDescriptor()->FindFieldByName(field));
  }

 private:
  const std::shared_ptr<spdlog::logger> before_;
};

TEST_F(LogTest, AJsonLineHasTimeLevelProgramAndMessage) {
  const std::string line = AsJson("the disk is full");

  EXPECT_THAT(Field(line, "ts"), testing::MatchesRegex("20.*T.*\\.......Z"));
  EXPECT_EQ(Field(line, "level"), "warning");
  EXPECT_EQ(Field(line, "program"), "oombox-test");
  EXPECT_EQ(Field(line, "msg"), "the disk is full");
}

TEST_F(LogTest, AJsonMessageIsReadBackAsItWas) {
  for (const std::string& message :
       {std::string("\"quoted\" and 'quoted'"), std::string("two\nlines\r\n\ttab"),
        std::string("C:\\n\\u0041\\"), std::string("nul \0 bell \a escape \x1b[31m del \x7f", 29),
        std::string("\xc3\xa9 \xe4\xb8\xad \xf0\x9f\x90\x8d"), std::string("{}%n%v%*")}) {
    EXPECT_EQ(Field(AsJson(message), "msg"), message);
  }
}

TEST_F(LogTest, BytesThatAreNotUtf8AreReplacedInAJsonMessage) {
  EXPECT_EQ(Field(AsJson("a\xff"
                         "b\xc3"),
                  "msg"),
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd");
}

TEST_F(LogTest, ATextLineHasTimeLevelProgramAndMessageAndNoColourInAFile) {
  const std::string line = Written("text", "info", [] { spdlog::error("it is full"); });

  EXPECT_THAT(line, EndsWith("Z error oombox-test: it is full\n"));
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
}

TEST_F(LogTest, ATextMessageCannotCommandTheTerminalNorPretendToBeAnother) {
  const std::string line = Written("text", "info", [] {
    spdlog::error("C:\\no \x1b[31m \xff\n2026-01-01T00:00:00Z info oombox-test: forged");
  });

  EXPECT_THAT(line, HasSubstr("C:\\no \\x1b[31m \\xff\n    2026-01-01T00:00:00Z info"));
}

TEST_F(LogTest, WhatIsBelowTheLevelIsNotWritten) {
  EXPECT_EQ(Written("json", "error", [] { spdlog::warn("not that bad"); }), "");
  EXPECT_EQ(Written("text", "off", [] { spdlog::critical("anything"); }), "");
}

TEST_F(LogTest, AnUnknownFormatOrLevelIsRefusedWithTheKnownOnes) {
  EXPECT_THAT(SetUpLog("oombox-test", "xml", "info").error().message, HasSubstr("text or json"));
  EXPECT_THAT(SetUpLog("oombox-test", "text", "loud").error().message, HasSubstr("debug, info"));
}

}  // namespace
}  // namespace oombox
