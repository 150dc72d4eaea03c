#include "agent/file_stats.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_event_store.h"
#include "tests/support/fake_journal.h"

namespace oombox {
namespace {

// A store that refuses to tell, or does not come back.
class Disk final : public FakeEventStore {
 public:
  Disk() : FakeEventStore("epoch") {}
  enum class Does { kAnswer, kRefuse, kHang };

  Result<StoreStats> Stats() override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return does_ != Does::kHang; });
    return does_ == Does::kAnswer ? FakeEventStore::Stats()
                                  : MakeError(ErrorCode::kUnavailable, "the disk is away");
  }
  void Set(Does does) {
    const std::lock_guard lock(mutex_);
    does_ = does;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Does does_ = Does::kAnswer;
};

class FileStatsTest : public ::testing::Test {
 protected:
  ~FileStatsTest() override { disk_.Set(Disk::Does::kAnswer); }

  testing::FakeJournal journal_;
  Disk disk_;
};

TEST_F(FileStatsTest, SaysNothingOfItsAgeWhenItIsOfNow) {
  FileStatsReader reader(journal_, disk_);
  const auto stats = reader.Get();
  EXPECT_TRUE(stats.store.has_value());
  EXPECT_FALSE(stats.age_ns.has_value());
}

TEST_F(FileStatsTest, SaysHowOldItIsWhereTheDiskHangsOrRefuses) {
  for (const auto does : {Disk::Does::kHang, Disk::Does::kRefuse}) {
    FileStatsReader reader(journal_, disk_);
    ASSERT_FALSE(reader.Get().age_ns.has_value());

    disk_.Set(does);
    const auto old = reader.Get();
    EXPECT_TRUE(old.store.has_value()) << "what was known last";
    EXPECT_TRUE(old.age_ns.has_value());
    EXPECT_GT(reader.Get().age_ns, old.age_ns);

    disk_.Set(Disk::Does::kAnswer);
    EXPECT_FALSE(reader.Get().age_ns.has_value());
  }
}

TEST_F(FileStatsTest, IsOldFromTheStartWhereNothingWasEverAnswered) {
  disk_.Set(Disk::Does::kRefuse);
  FileStatsReader reader(journal_, disk_);
  const auto stats = reader.Get();
  EXPECT_FALSE(stats.store.has_value());
  EXPECT_TRUE(stats.age_ns.has_value());
}

}  // namespace
}  // namespace oombox
