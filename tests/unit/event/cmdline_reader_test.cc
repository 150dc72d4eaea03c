#include "agent/event/cmdline_reader.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

namespace oombox {
namespace {

// A process whose command line cannot be read until the gate opens; it owns itself, as Read must.
struct Gate {
  std::mutex mutex;
  std::condition_variable changed;
  bool open = false;
  int answers = 0;

  void Open() {
    const std::lock_guard lock(mutex);
    open = true;
    changed.notify_all();
  }
  void Answered() {
    const std::lock_guard lock(mutex);
    ++answers;
    changed.notify_all();
  }
  void WaitForAnswers(int count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return answers >= count; });
  }
};

CmdlineReader::Read ReadBehind(const std::shared_ptr<Gate>& gate) {
  return [gate](uint32_t tgid, uint64_t /*start*/) {
    std::unique_lock lock(gate->mutex);
    gate->changed.wait(lock, [&] { return gate->open; });
    return tgid == 1 ? std::string() : "python3 " + std::to_string(tgid);
  };
}

TEST(CmdlineReaderTest, AnswersWhatLivesAndSaysNothingOfWhatIsGone) {
  const auto gate = std::make_shared<Gate>();
  CmdlineReader reader(ReadBehind(gate), [gate] { gate->Answered(); });
  gate->Open();

  reader.Ask({"a", 1, 7});
  reader.Ask({"b", 2, 7});
  gate->WaitForAnswers(1);

  const auto answers = reader.Take();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].question.event_id, "b");
  EXPECT_EQ(answers[0].bytes, "python3 2");
  EXPECT_TRUE(reader.Take().empty());
}

TEST(CmdlineReaderTest, IsNotHeldUpAtItsEndByAReadThatHangs) {
  const auto gate = std::make_shared<Gate>();
  {
    CmdlineReader reader(ReadBehind(gate), [gate] { gate->Answered(); });
    reader.Ask({"a", 2, 7});
  }
  gate->Open();

  const std::lock_guard lock(gate->mutex);
  EXPECT_EQ(gate->answers, 0);
}

TEST(CmdlineReaderTest, BoundsWhatWaits) {
  const auto gate = std::make_shared<Gate>();
  CmdlineReader reader(ReadBehind(gate), [gate] { gate->Answered(); });
  for (uint32_t tgid = 2; tgid < 2 + 2 * CmdlineReader::kMaxWaiting; ++tgid) {
    reader.Ask({"a", tgid, 7});
  }
  gate->Open();
  gate->WaitForAnswers(CmdlineReader::kMaxWaiting);

  EXPECT_LE(reader.Take().size(), CmdlineReader::kMaxWaiting + 1);
}

}  // namespace
}  // namespace oombox
