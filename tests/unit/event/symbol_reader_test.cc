#include "agent/event/symbol_reader.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>

namespace oombox {
namespace {

// Names addresses once the gate is open, and counts the readings.
class GatedSymbols final : public StackSymbols {
 public:
  std::optional<std::vector<std::string>> Known(std::span<const uint64_t> addresses) override {
    const std::lock_guard lock(mutex_);
    for (const uint64_t address : addresses) {
      if (!known_.contains(address)) {
        return std::nullopt;
      }
    }
    return std::vector<std::string>(addresses.size(), "f+0x1");
  }
  std::vector<std::string> LookUp(std::span<const uint64_t> addresses) override {
    std::unique_lock lock(mutex_);
    reading_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    ++readings_;
    known_.insert(addresses.begin(), addresses.end());
    return std::vector<std::string>(addresses.size(), "f+0x1");
  }
  void Open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void WaitForReading() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return reading_; });
  }
  void Named() {
    const std::lock_guard lock(mutex_);
    ++named_;
    changed_.notify_all();
  }
  void WaitForNamed(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return named_ >= count; });
  }
  int readings() {
    const std::lock_guard lock(mutex_);
    return readings_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<uint64_t> known_;
  bool open_ = false;
  bool reading_ = false;
  int readings_ = 0;
  int named_ = 0;
};

TEST(SymbolReaderTest, ReadsOnceForAllThatIsAskedMeanwhile) {
  const auto symbols = std::make_shared<GatedSymbols>();
  SymbolReader reader(symbols, [symbols] { symbols->Named(); });

  reader.Ask({1, 2});
  symbols->WaitForReading();
  EXPECT_FALSE(reader.TakeNews());
  reader.Ask({1, 2});  // known by the time it is looked at
  reader.Ask({3});
  reader.Ask({4});
  symbols->Open();
  symbols->WaitForNamed(2);

  EXPECT_EQ(symbols->readings(), 2);
  EXPECT_TRUE(reader.TakeNews());
  EXPECT_FALSE(reader.TakeNews());
  const std::vector<uint64_t> all{1, 2, 3, 4};
  EXPECT_TRUE(symbols->Known(all).has_value());
}

TEST(SymbolReaderTest, ReadsNothingForWhatIsKnown) {
  const auto symbols = std::make_shared<GatedSymbols>();
  symbols->Open();
  SymbolReader reader(symbols, [symbols] { symbols->Named(); });

  reader.Ask({1});
  symbols->WaitForNamed(1);
  reader.Ask({1});
  symbols->WaitForNamed(2);

  EXPECT_EQ(symbols->readings(), 1);
}

}  // namespace
}  // namespace oombox
