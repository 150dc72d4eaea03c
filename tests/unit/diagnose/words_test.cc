#include "agent/diagnose/words.h"

#include <gtest/gtest.h>

namespace oombox {
namespace {

constexpr uint64_t kMib = 1u << 20;

TEST(WordsTest, BytesReadTheWayLimitsAreWritten) {
  EXPECT_EQ(ByteWords(0), "0 bytes");
  EXPECT_EQ(ByteWords(4096), "4 KiB");
  EXPECT_EQ(ByteWords(200 * kMib), "200 MiB");
  EXPECT_EQ(ByteWords(kMib + kMib / 2), "1.5 MiB");
  EXPECT_EQ(ByteWords(2048 * kMib), "2048 MiB");
  EXPECT_EQ(ByteWords(64ull * 1024 * kMib), "64 GiB");
}

TEST(WordsTest, SharesAreInTheUnitOfTheWhole) {
  EXPECT_EQ(ShareWords(182 * kMib, 196 * kMib), "182 of 196 MiB (93 %)");
  EXPECT_EQ(ShareWords(0, 0), "0 of 0 bytes (0 %)");
}

TEST(WordsTest, AProcessWithoutANameIsNamedByItsNumber) {
  EXPECT_EQ(ProcessWords("python3", 31, 4242), "python3[31]");
  EXPECT_EQ(ProcessWords("python3", 0, 4242), "python3[4242]");
  EXPECT_EQ(ProcessWords("", 31, 4242), "process 31");
}

TEST(WordsTest, ResidentMemoryIsUnknownWhenNoPartIsKnown) {
  v1::ProcessMemory memory;
  EXPECT_EQ(ResidentBytes(memory), std::nullopt);

  memory.set_swap_bytes(1);
  EXPECT_EQ(ResidentBytes(memory), std::nullopt);

  memory.set_shmem_bytes(5);
  EXPECT_EQ(ResidentBytes(memory), 5u);
}

}  // namespace
}  // namespace oombox
