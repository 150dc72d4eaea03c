#include "agent/capture/redact.h"

#include <gtest/gtest.h>

#include <cstring>

#include "bpf/oombox_abi.h"

namespace oombox {
namespace {

std::string Redacted(std::string line, Redactor::Options options = {}) {
  for (char& c : line) {
    c = c == ' ' ? '\0' : c;  // arguments
  }
  const auto redactor = Redactor::Make(options);
  EXPECT_TRUE(redactor.has_value());
  (*redactor)->Redact(line);
  for (char& c : line) {
    c = c == '\0' ? ' ' : c;
  }
  return line;
}

TEST(RedactTest, MasksWhatIsNamedASecret) {
  EXPECT_EQ(Redacted("app --db-password=hunter2 --port=80"), "app --db-password=******* --port=80");
  EXPECT_EQ(Redacted("app --password=ab,cd;e&f run"), "app --password=********* run");
  EXPECT_EQ(Redacted("env PGPASSWORD=hunter2 psql"), "env PGPASSWORD=******* psql");
  EXPECT_EQ(Redacted("app --api-key abc123 run"), "app --api-key ****** run");
  EXPECT_EQ(Redacted("app -token abc123"), "app -token ******");
  EXPECT_EQ(Redacted("app {\"secret\":\"abc\"}"), "app {\"secret\":\"***\"}");
}

TEST(RedactTest, MasksPasswordsInUrlsAndWellKnownTokens) {
  EXPECT_EQ(Redacted("celery -b redis://user:s3cret@host:6379/0"),
            "celery -b redis://user:******@host:6379/0");
  EXPECT_EQ(Redacted("x AKIAABCDEFGHIJKLMNOP y"), "x ******************** y");
  EXPECT_EQ(Redacted("x ghp_abcdefghijklmnopqrstuvwxyz"), "x ******************************");
}

TEST(RedactTest, LeavesTheRestAlone) {
  const std::string line = "gunicorn -w 4 --timeout 30 app:create_app --log-level info author=x";
  EXPECT_EQ(Redacted(line), line);
  EXPECT_EQ(Redacted(""), "");
}

TEST(RedactTest, TakesPatternsOfItsOwnAndNoDefaults) {
  EXPECT_EQ(Redacted("app --license=XYZ password=abc",
                     {.defaults = false, .patterns = {"license=([A-Z]+)"}}),
            "app --license=*** password=abc");
  EXPECT_EQ(Redacted("app ab12", {.defaults = false, .patterns = {"ab[0-9]+"}}), "app ****");
}

TEST(RedactTest, RefusesAPatternThatDoesNotParse) {
  const auto redactor = Redactor::Make({.patterns = {"("}});

  ASSERT_FALSE(redactor.has_value());
  EXPECT_EQ(redactor.error().code, ErrorCode::kInvalid);
  EXPECT_NE(redactor.error().message.find("mask-pattern '('"), std::string::npos);
}

TEST(RedactTest, EndsOnAPatternThatMatchesNothing) {
  EXPECT_EQ(Redacted("abc", {.defaults = false, .patterns = {"x*"}}), "abc");
}

TEST(RedactTest, ChangesTheCommandLineOfARecordAndNothingElse) {
  oombox_cmdline_record record{};
  record.header.type = OOMBOX_RECORD_CMDLINE;
  record.tgid = 7;
  record.length = 12;
  std::memcpy(record.bytes, "password=abc", 12);
  const std::string raw(reinterpret_cast<const char*>(&record), sizeof record);
  const auto redactor = Redactor::Make({});
  std::string out;

  ASSERT_TRUE(RedactRecord(raw, **redactor, out));
  ASSERT_EQ(out.size(), raw.size());
  oombox_cmdline_record after{};
  std::memcpy(&after, out.data(), sizeof after);
  EXPECT_EQ(std::string(after.bytes, 12), "password=***");
  std::memcpy(after.bytes, record.bytes, sizeof after.bytes);
  EXPECT_EQ(std::memcmp(&after, &record, sizeof after), 0);
  EXPECT_FALSE(RedactRecord(raw.substr(0, 40), **redactor, out));
}

}  // namespace
}  // namespace oombox
