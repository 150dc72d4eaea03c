#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "agent/capture/decode.h"
#include "agent/event/envelope.h"
#include "agent/event/event_stage.h"
#include "agent/event/pressure.h"
#include "tests/support/kill_bytes.h"
#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

constexpr uint64_t kCgroup = 11;  // of KillBytes
constexpr uint64_t kAlarmed = 4'000'000'000;

std::string KillOf(uint32_t tgid) {
  testing::KillBytes bytes;
  bytes.record().victim.tgid = tgid;
  bytes.record().episode_tgid = tgid;
  return bytes.bytes();
}

// Tells of the alarm in the moment a kill is asked about, or before.
class Watch final : public HistorySource {
 public:
  std::optional<MemoryHistory> Before(uint64_t, uint64_t) const override { return std::nullopt; }
  std::optional<uint64_t> AlarmedSince(uint64_t, uint64_t) const override {
    if (stage != nullptr && !told) {
      told = true;
      stage->ReportPressure(
          {.now = {.cgroup = {.id = kCgroup, .path = "/pods/a"}, .state = PressureState::kCritical},
           .previous = PressureState::kWarning,
           .boottime_ns = kAlarmed},
          session);
    }
    return kAlarmed;
  }

  EventStage* stage = nullptr;
  JournalSession session;
  mutable bool told = false;
};

class AlarmLinkTest : public ::testing::Test {
 protected:
  AlarmLinkTest() {
    watch_.session = *journal_->BeginSession({.boot_id = "boot", .kernel_release = "6.1"});
  }

  v1::Event Only(const std::string& filter) {
    const auto found =
        *store_->List({.filter = *Filter::Parse(filter), .view = v1::EVENT_VIEW_FULL});
    EXPECT_EQ(found.size(), 1U) << filter;
    return found.empty() ? v1::Event() : found[0].event;
  }

  TempDir dir_;
  std::unique_ptr<Journal> journal_ = *Journal::Open({.path = dir_.File("journal.db")});
  std::unique_ptr<EventStore> store_ = *EventStore::Open({.path = dir_.File("events.db")});
  Watch watch_;
};

TEST_F(AlarmLinkTest, AnAlarmOfTheLastMomentNamesTheFirstKillThatFollowed) {
  EventStage stage(
      {.node_name = "n", .boot_id = "boot", .decode = DecodeRecord, .history = &watch_}, *journal_,
      *store_);
  ASSERT_TRUE(stage.Flush());
  watch_.stage = &stage;

  const std::vector<std::string> records = {KillOf(1), KillOf(2)};
  ASSERT_TRUE(journal_->Append(watch_.session.id, {{records[0], records[1]}}).has_value());
  stage.Notify();
  ASSERT_TRUE(stage.Flush());

  const v1::Event alarm = Only("kind = pressure");
  const auto kills =
      *store_->List({.filter = *Filter::Parse("kind = oom"), .view = v1::EVENT_VIEW_FULL});
  ASSERT_EQ(kills.size(), 2U);
  const v1::Event& first =
      kills[0].event.oom().victims(0).tgid() == 1 ? kills[0].event : kills[1].event;
  EXPECT_EQ(first.oom().pressure_event_id(), alarm.event_id());
  EXPECT_EQ(alarm.pressure().kill_event_id(), first.event_id());
}

TEST_F(AlarmLinkTest, AnAlarmThatIsToldAgainLosesNothingOfWhatIsStored) {
  PressureChange change = {.boottime_ns = kAlarmed};
  change.now.cgroup = {.id = kCgroup, .path = "/pods/a"};
  change.now.state = PressureState::kCritical;
  change.now.sample.unreclaimable_bytes = 4711;
  const v1::Event stored =
      AssemblePressure(change, ContextOf(watch_.session, "", "n", false), nullptr);
  ASSERT_TRUE(store_->Put(std::vector<v1::Event>{stored}, std::nullopt).has_value());
  EventStage stage(
      {.node_name = "n", .boot_id = "boot", .decode = DecodeRecord, .history = &watch_}, *journal_,
      *store_);
  ASSERT_TRUE(stage.Flush());
  watch_.stage = &stage;

  const std::string record = KillOf(1);
  ASSERT_TRUE(journal_->Append(watch_.session.id, {{record}}).has_value());
  stage.Notify();
  ASSERT_TRUE(stage.Flush());

  const v1::Event alarm = Only("kind = pressure");
  EXPECT_EQ(alarm.pressure().kill_event_id(), Only("kind = oom").event_id());
  EXPECT_EQ(alarm.pressure().unreclaimable_bytes(), 4711U);
}

}  // namespace
}  // namespace oombox
