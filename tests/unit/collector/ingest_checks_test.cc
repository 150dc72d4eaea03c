#include "tools/collector/ingest_checks.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tests/fakes/sample_events.h"

namespace oombox {
namespace {

using google::protobuf::Duration;
using google::protobuf::Timestamp;
using testing::HasSubstr;

template <typename T>
T Make(int64_t seconds, int32_t nanos) {
  T made;
  made.set_seconds(seconds);
  made.set_nanos(nanos);
  return made;
}

v1::Event GapFrom(const Timestamp& start) {
  v1::Event event = SampleEvent(1, SampleNode("n1"));
  *event.mutable_gap()->mutable_start_time() = start;
  return event;
}

v1::Event CapturedAfter(const Duration& latency) {
  v1::Event event = SampleEvent(1, SampleNode("n1"));
  *event.mutable_oom()->mutable_quality()->mutable_capture_latency() = latency;
  return event;
}

TEST(IngestChecksTest, TakesTimesThatJsonCanWrite) {
  for (const v1::Event& event : {
           GapFrom(Make<Timestamp>(0, 0)),
           GapFrom(Make<Timestamp>(9'000'000'000, 999'999'999)),
           CapturedAfter(Make<Duration>(0, -5)),
           CapturedAfter(Make<Duration>(-315'576'000'000, -999'999'999)),
           CapturedAfter(Make<Duration>(315'576'000'000, 999'999'999)),
       }) {
    std::string json;
    EXPECT_TRUE(CheckEvent(event)) << event.ShortDebugString();
    EXPECT_TRUE(google::protobuf::util::MessageToJsonString(event, &json).ok())
        << event.ShortDebugString();
  }
}

TEST(IngestChecksTest, RefusesEventsWithTimesThatJsonCannotWriteAndNamesTheField) {
  for (const auto& [seconds, nanos] :
       std::vector<std::pair<int64_t, int32_t>>{{-1, 0},
                                                {9'000'000'001, 0},
                                                {std::numeric_limits<int64_t>::max(), 0},
                                                {std::numeric_limits<int64_t>::min(), 0},
                                                {1, -1},
                                                {1, 1'000'000'000}}) {
    const Status checked = CheckEvent(GapFrom(Make<Timestamp>(seconds, nanos)));

    ASSERT_FALSE(checked) << seconds << " " << nanos;
    EXPECT_EQ(checked.error().message, "gap.start_time is a time out of range");
  }
}

TEST(IngestChecksTest, RefusesEventsWithDurationsThatJsonCannotWriteAndNamesTheField) {
  for (const auto& [seconds, nanos] :
       std::vector<std::pair<int64_t, int32_t>>{{315'576'000'001, 0},
                                                {-315'576'000'001, 0},
                                                {std::numeric_limits<int64_t>::min(), 0},
                                                {0, 1'000'000'000},
                                                {0, -1'000'000'000},
                                                {1, -1},
                                                {-1, 1}}) {
    const Status checked = CheckEvent(CapturedAfter(Make<Duration>(seconds, nanos)));

    ASSERT_FALSE(checked) << seconds << " " << nanos;
    EXPECT_EQ(checked.error().message, "oom.quality.capture_latency is a duration out of range");
  }
}

TEST(IngestChecksTest, LooksIntoWhatIsRepeated) {
  v1::Event event = SampleEvent(1, SampleNode("n1"));
  event.mutable_oom()->mutable_curve()->add_points();
  event.mutable_oom()->mutable_curve()->add_points()->mutable_time()->set_nanos(-1);

  const Status checked = CheckEvent(event);

  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().message, HasSubstr("oom.curve.points.time"));
}

TEST(IngestChecksTest, NamesTheTextThatIsNotPrintable) {
  v1::Event event = SampleEvent(1, SampleNode("n1"));
  event.mutable_oom()->mutable_trigger()->set_comm("a\x1b[2J");

  const Status checked = CheckEvent(event);

  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().message, HasSubstr("oom.trigger.comm is not printable"));
}

TEST(IngestChecksTest, RefusesReportsWithTimesThatJsonCannotWrite) {
  v1::NodeReport timeless = SampleReport(SampleNode("n1"));
  timeless.mutable_report_time()->set_seconds(-1);
  v1::NodeReport endless = SampleReport(SampleNode("n1"));
  endless.mutable_cost()->mutable_cpu_time()->set_nanos(1'000'000'000);

  EXPECT_TRUE(CheckReport(SampleReport(SampleNode("n1"))));
  const Status first = CheckReport(timeless);
  const Status second = CheckReport(endless);

  ASSERT_FALSE(first);
  EXPECT_THAT(first.error().message, HasSubstr("report_time is a time"));
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("cost.cpu_time is a duration"));
}

}  // namespace
}  // namespace oombox
