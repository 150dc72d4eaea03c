#include "agent/pressure/pressure_watch.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>

#include "agent/common/clock.h"
#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

constexpr uint64_t kMiB = 1 << 20;

// Reclaim as a test says it.
class FakeReclaim final : public ReclaimSource {
 public:
  Health health() const override { return {.run_ns = run_ns, .disarmed = disarmed}; }
  uint64_t Changes() const override { return changes; }
  Result<std::map<uint64_t, ReclaimCounts>> Read() const override {
    const std::lock_guard lock(mutex_);
    return counts_;
  }
  void Set(uint64_t id, uint64_t stall_ns, uint64_t at_ns = BootNowNs()) {
    const std::lock_guard lock(mutex_);
    counts_[id] = {.count = ++changes, .stall_ns = stall_ns, .last_boottime_ns = at_ns};
  }
  void Forget(uint64_t id) override { forgotten = id; }
  void Arm(bool armed) override { disarmed = !armed; }

  std::atomic<uint64_t> changes{0};
  std::atomic<uint64_t> run_ns{0};
  std::atomic<uint64_t> forgotten{0};
  std::atomic<bool> disarmed{false};

 private:
  mutable std::mutex mutex_;
  std::map<uint64_t, ReclaimCounts> counts_;
};

// A directory tree that looks like cgroup v2.
class PressureWatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(Root());
    std::filesystem::create_directories(dir_.File("proc/pressure"));
    Write("proc/meminfo", "MemTotal: 1000000 kB\nMemFree: 500000 kB\nMemAvailable: 800000 kB\n");
  }
  std::string Root() const { return dir_.File("cgroup"); }
  void Write(const std::string& file, const std::string& text) {
    std::ofstream(dir_.File(file)) << text;
  }
  void Make(const std::string& path, uint64_t usage_mib, const std::string& limit) {
    std::filesystem::create_directories(Root() + path);
    Set(path, usage_mib);
    Write("cgroup" + path + "/memory.max", limit + "\n");
    Write("cgroup" + path + "/memory.high", "max\n");
  }
  // In one step, as a kernel file is read.
  void Set(const std::string& path, uint64_t usage_mib) {
    Replace("cgroup" + path + "/memory.stat", fmt::format("anon {}\n", usage_mib * kMiB));
    Replace("cgroup" + path + "/memory.current", fmt::format("{}\n", usage_mib * kMiB));
  }
  void Replace(const std::string& file, const std::string& text) {
    Write(file + ".next", text);
    std::filesystem::rename(dir_.File(file + ".next"), dir_.File(file));
  }
  CurveFile::Options Curves() const {
    return {.path = dir_.File("curves"), .max_bytes = 1 << 20, .boot_id = "boot"};
  }
  uint64_t IdInTree(const std::string& path) const {
    struct stat status {};
    EXPECT_EQ(::stat((Root() + path).c_str(), &status), 0);
    return status.st_ino;
  }
  // As if an earlier run had seen it critical, with a reading that long before.
  uint64_t KeepCritical(const std::string& path, PressureCause cause, uint64_t reading_before_ns) {
    const WatchedCgroup cgroup{.id = IdInTree(path), .path = path};
    const uint64_t since = BootNowNs() - 1'000'000'000;
    auto curves = CurveFile::Open(Curves(), since);
    EXPECT_TRUE(curves);
    (*curves)->Add(cgroup, {.boottime_ns = since - reading_before_ns, .usage_bytes = 95 * kMiB},
                   0.95);
    (*curves)->NoteState({.now = {.cgroup = cgroup, .state = PressureState::kCritical},
                          .previous = PressureState::kWarning,
                          .cause = cause,
                          .boottime_ns = since});
    return since;
  }
  void Start() {
    Prepare();
    Begin();
  }
  void Begin() {
    watch_->Start([this](PressureChange change) {
      on_told_(change);
      const std::lock_guard lock(mutex_);
      changes_.push_back(std::move(change));
      told_.notify_all();
    });
  }
  void Prepare() {
    watch_ = std::make_unique<PressureWatch>(PressureWatch::Options{
        .hierarchy = {.root = Root(), .v2 = true},
        .proc = dir_.File("proc"),
        .curves = Curves(),
        .reclaim = reclaim_,
        .is_container = [](const std::string& path) { return path == "/container"; },
        .scan_ns = 100'000'000,
        .forget_reclaim_ns = BootNowNs() / 2});  // a machine may be up for five minutes only
  }
  // Until it says so, or 10 s.
  bool Eventually(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    std::unique_lock lock(mutex_);
    while (!done()) {
      if (told_.wait_for(lock, std::chrono::milliseconds(10)) == std::cv_status::timeout &&
          std::chrono::steady_clock::now() > deadline) {
        return false;
      }
    }
    return true;
  }
  PressureChange Told(size_t index) {
    const std::lock_guard lock(mutex_);
    return changes_.at(index);
  }
  size_t TimesTold() {
    const std::lock_guard lock(mutex_);
    return changes_.size();
  }
  void ForgetTold() {
    const std::lock_guard lock(mutex_);
    changes_.clear();
  }
  std::vector<std::string> Paths() {
    std::vector<std::string> paths;
    for (const CgroupPressure& now : watch_->Now()) {
      paths.push_back(now.cgroup.path);
    }
    return paths;
  }
  uint64_t IdOf(const std::string& path) {
    for (const CgroupPressure& now : watch_->Now()) {
      if (now.cgroup.path == path) {
        return now.cgroup.id;
      }
    }
    return 0;
  }

  TempDir dir_;
  std::shared_ptr<FakeReclaim> reclaim_ = std::make_shared<FakeReclaim>();
  std::mutex mutex_;
  std::condition_variable told_;
  std::vector<PressureChange> changes_;
  std::function<void(const PressureChange&)> on_told_ = [](const PressureChange&) {};
  std::unique_ptr<PressureWatch> watch_;
};

TEST_F(PressureWatchTest, WatchesTheNodeContainersAndWhatHasALimit) {
  Make("/container", 10, "max");
  Make("/limited", 10, "104857600");
  Make("/free", 10, "max");
  Make("/limited/below", 10, "max");
  Start();
  ASSERT_TRUE(Eventually([&] { return watch_->status().readings >= 3; }));
  EXPECT_EQ(Paths(), (std::vector<std::string>{"/", "/container", "/limited"}));
  EXPECT_EQ(watch_->status().total, 4U);
  EXPECT_EQ(watch_->status().watched, 2U);
}

TEST_F(PressureWatchTest, TellsOfACgroupThatComesNearItsLimit) {
  Make("/a", 95, "104857600");
  Start();
  ASSERT_TRUE(Eventually([&] { return !changes_.empty(); }));
  EXPECT_EQ(Told(0).now.state, PressureState::kCritical);
  EXPECT_EQ(Told(0).now.cgroup.path, "/a");
  EXPECT_TRUE(Eventually([&] {
    return watch_->AlarmedSince(changes_[0].now.cgroup.id, BootNowNs()) == changes_[0].boottime_ns;
  }));
  EXPECT_EQ(watch_->status().critical, 1U);
}

TEST_F(PressureWatchTest, AnAlarmIsToldBeforeAKillCanNameIt) {
  Make("/a", 95, "104857600");
  const auto named_before = std::make_shared<std::atomic<bool>>(false);
  on_told_ = [this, named_before](const PressureChange& change) {
    *named_before = watch_->AlarmedSince(change.now.cgroup.id, BootNowNs()).has_value();
  };
  Start();
  ASSERT_TRUE(Eventually([&] { return !changes_.empty(); }));
  EXPECT_FALSE(*named_before);
  EXPECT_TRUE(
      Eventually([&] { return watch_->AlarmedSince(IdOf("/a"), BootNowNs()).has_value(); }));
}

TEST_F(PressureWatchTest, ALimitThatIsSetLaterIsSeen) {
  Make("/late", 10, "max");
  Start();
  ASSERT_TRUE(Eventually([&] { return watch_->status().total == 1; }));
  EXPECT_EQ(watch_->status().watched, 0U);
  Replace("cgroup/late/memory.max", "104857600\n");
  EXPECT_TRUE(Eventually([&] { return watch_->status().watched == 1; }));
}

TEST_F(PressureWatchTest, ANoticeMakesANewCgroupWatchedBeforeTheNextScan) {
  Start();
  ASSERT_TRUE(Eventually([&] { return watch_->status().readings >= 1; }));
  Make("/new", 10, "104857600");
  watch_->Appeared("/new");
  watch_->Appeared("/of/another/hierarchy");
  EXPECT_TRUE(Eventually([&] { return watch_->status().watched == 1; }));
}

TEST_F(PressureWatchTest, ARemovedCgroupEndsItsAlarmAndItsCurveStays) {
  Make("/a", 95, "104857600");
  Start();
  ASSERT_TRUE(Eventually([&] { return !changes_.empty(); }));
  const uint64_t id = Told(0).now.cgroup.id;
  std::filesystem::remove_all(Root() + "/a");
  watch_->Removed("/a");
  ASSERT_TRUE(Eventually([&] { return changes_.size() >= 2; }));
  EXPECT_EQ(Told(1).cause, PressureCause::kRemoved);
  EXPECT_TRUE(watch_->Before(id, BootNowNs()));
  EXPECT_EQ(reclaim_->forgotten, id);
  EXPECT_TRUE(watch_->AlarmedSince(id, BootNowNs())) << "its kill may be told later";
}

TEST_F(PressureWatchTest, ACgroupThatVanishesBetweenTwoReadsIsNoError) {
  for (int i = 0; i < 50; ++i) {
    Make(fmt::format("/c{}", i), 95, "104857600");
  }
  Start();
  for (int i = 0; i < 50; ++i) {
    std::filesystem::remove_all(Root() + fmt::format("/c{}", i));
  }
  EXPECT_TRUE(Eventually([&] {
    const auto status = watch_->status();
    return status.readings > 0 && status.watched == 0;
  }));
}

// It may not have been stored: what tells them apart, the time and the cgroup, is the same.
TEST_F(PressureWatchTest, ASuccessorTellsALastingAlarmOnceMoreAsTheSame) {
  Make("/a", 95, "104857600");
  Start();
  ASSERT_TRUE(Eventually([&] { return !changes_.empty(); }));
  const PressureChange first = Told(0);
  watch_.reset();
  ForgetTold();
  Set("/a", 97);
  Start();
  ASSERT_TRUE(Eventually([&] { return watch_->status().readings >= 10; }));
  ASSERT_EQ(TimesTold(), 1U);
  const PressureChange again = Told(0);
  EXPECT_EQ(again.boottime_ns, first.boottime_ns);
  EXPECT_EQ(again.now.cgroup.id, first.now.cgroup.id);
  EXPECT_EQ(again.now.cgroup.path, first.now.cgroup.path);
  EXPECT_EQ(again.now.state, first.now.state);
  EXPECT_EQ(again.now.sample.usage_bytes, first.now.sample.usage_bytes);
  EXPECT_EQ(again.previous, first.previous);
  EXPECT_EQ(again.previous_since_ns, first.previous_since_ns);
  EXPECT_EQ(again.cause, first.cause);
  EXPECT_TRUE(again.told_again && !first.told_again);
  EXPECT_EQ(watch_->AlarmedSince(IdOf("/a"), BootNowNs()), first.boottime_ns);
}

TEST_F(PressureWatchTest, AnAlarmThatIsToldAgainIsToldBeforeAKillCanNameIt) {
  Make("/a", 95, "104857600");
  const uint64_t since = KeepCritical("/a", PressureCause::kWorkingSet, 0);
  std::vector<bool> named;
  on_told_ = [&](const PressureChange& change) {
    named.push_back(watch_->AlarmedSince(change.now.cgroup.id, BootNowNs()).has_value());
  };
  Prepare();
  EXPECT_FALSE(watch_->AlarmedSince(IdInTree("/a"), BootNowNs()));
  Begin();
  EXPECT_EQ(watch_->AlarmedSince(IdInTree("/a"), BootNowNs()), since);
  watch_->Stop();
  EXPECT_EQ(named, std::vector{false});
}

TEST_F(PressureWatchTest, AnAlarmWhoseReadingIsGoneWasToldLongAgo) {
  Make("/a", 95, "104857600");
  const uint64_t since = KeepCritical("/a", PressureCause::kWorkingSet, 3'000'000'000);
  Prepare();
  EXPECT_EQ(watch_->AlarmedSince(IdInTree("/a"), BootNowNs()), since) << "a kill may name it";
  Begin();
  watch_->Stop();
  EXPECT_EQ(TimesTold(), 0U);
}

TEST_F(PressureWatchTest, ASuccessorKnowsThatItWasForStallsAndTellsOfANearLimitBesides) {
  Make("/a", 95, "104857600");
  const uint64_t since = KeepCritical("/a", PressureCause::kStalls, 0);
  Start();
  ASSERT_TRUE(Eventually([&] { return changes_.size() >= 2; }));
  EXPECT_EQ(Told(0).boottime_ns, since);
  EXPECT_EQ(Told(1).now.state, PressureState::kCritical);
  EXPECT_EQ(Told(1).cause, PressureCause::kWorkingSet);
}

TEST_F(PressureWatchTest, ASuccessorEndsTheAlarmOfWhatHasGoneMeanwhileAndGivesItsPlaceAway) {
  Make("/a", 95, "104857600");
  Start();
  ASSERT_TRUE(Eventually([&] { return !changes_.empty(); }));
  const uint64_t id = Told(0).now.cgroup.id;
  const uint64_t since = Told(0).boottime_ns;
  watch_.reset();
  ForgetTold();
  std::filesystem::remove_all(Root() + "/a");
  Start();
  EXPECT_EQ(watch_->AlarmedSince(id, BootNowNs()), since) << "its kill waits in the ring";
  ASSERT_TRUE(Eventually([&] { return changes_.size() >= 2; }));
  EXPECT_EQ(Told(0).boottime_ns, since);
  EXPECT_EQ(Told(1).cause, PressureCause::kRemoved);
  EXPECT_EQ(Told(1).now.cgroup.path, "/a");
  watch_.reset();
  auto curves = CurveFile::Open(Curves(), BootNowNs());
  ASSERT_TRUE(curves);
  for (const CurveFile::Resumed& resumed : (*curves)->resumed()) {
    EXPECT_NE(resumed.cgroup.id, id) << "it is marked as gone";
  }
}

TEST_F(PressureWatchTest, StallsInReclaimAreAnAlarmWherePsiIsNot) {
  Make("/a", 50, "104857600");
  Start();
  ASSERT_TRUE(Eventually([&] { return IdOf("/a") != 0; }));
  const uint64_t id = IdOf("/a");
  // More than all tasks' time of the last minute.
  reclaim_->Set(id, 60'000'000'000);
  ASSERT_TRUE(Eventually([&] { return !changes_.empty(); }));
  EXPECT_EQ(Told(0).cause, PressureCause::kStalls);
}

TEST_F(PressureWatchTest, WhoseReclaimIsOldAndNotWatchedGivesItsPlaceAway) {
  Make("/a", 50, "104857600");
  reclaim_->Set(4242, 1, 1);  // long ago
  reclaim_->Set(4243, 1);
  Start();
  ASSERT_TRUE(Eventually([&] { return IdOf("/a") != 0; }));
  reclaim_->Set(IdOf("/a"), 1, 1);
  EXPECT_TRUE(Eventually([&] { return reclaim_->forgotten == 4242; }));
}

TEST_F(PressureWatchTest, AContainerWithoutAMemoryControllerIsNotTriedAgainAndAgain) {
  Start();
  ASSERT_TRUE(Eventually([&] { return watch_->status().readings >= 1; }));
  std::filesystem::create_directories(Root() + "/container");
  watch_->Appeared("/container");
  ASSERT_TRUE(Eventually([&] { return watch_->status().total == 1; }));
  EXPECT_EQ(watch_->status().watched, 0U);
  EXPECT_EQ(reclaim_->forgotten, 0U) << "it was watched, and dropped";
}

TEST_F(PressureWatchTest, OneOfTheSameNameIsAnother) {
  Make("/a", 95, "104857600");
  Start();
  ASSERT_TRUE(Eventually([&] { return !changes_.empty(); }));
  const uint64_t id = IdOf("/a");
  std::filesystem::rename(Root() + "/a",
                          dir_.File("old"));  // keeps its number from being used again
  Make("/a", 10, "104857600");
  EXPECT_TRUE(Eventually([&] { return IdOf("/a") != 0 && IdOf("/a") != id; }));
  ASSERT_TRUE(Eventually([&] { return changes_.size() >= 2; }));
  EXPECT_EQ(Told(1).cause, PressureCause::kRemoved);
}

TEST_F(PressureWatchTest, NoRoomForTheFileIsSaidAndTheCurveKeptInMemory) {
  std::filesystem::create_directories(dir_.File("curves"));  // a folder is there
  Make("/a", 95, "104857600");
  Start();
  ASSERT_TRUE(Eventually([&] { return !changes_.empty(); }));
  EXPECT_FALSE(watch_->status().curves_persist);
  EXPECT_FALSE(watch_->status().why_not.empty());
  EXPECT_TRUE(watch_->Before(Told(0).now.cgroup.id, BootNowNs()));
}

}  // namespace
}  // namespace oombox
