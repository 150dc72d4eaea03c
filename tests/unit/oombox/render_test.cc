#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/oombox/sample_events.h"
#include "tools/oombox/printable.h"
#include "tools/oombox/reference.h"
#include "tools/oombox/render/event_names.h"
#include "tools/oombox/render/table.h"
#include "tools/oombox/render/text_width.h"
#include "tools/oombox/render/units.h"

namespace oombox {
namespace {

using ::testing::ElementsAre;

TEST(UnitsTest, WritesBytesWithThreeDigits) {
  EXPECT_EQ(FormatBytes(0), "0 B");
  EXPECT_EQ(FormatBytes(1023), "1023 B");
  EXPECT_EQ(FormatBytes(200ull << 20), "200 MiB");
  EXPECT_EQ(FormatBytes((17ull << 30) / 10), "1.7 GiB");
  EXPECT_EQ(FormatBytes(2ull << 30), "2 GiB");
  EXPECT_EQ(FormatBytes((1ull << 30) - 1), "1 GiB");
  EXPECT_EQ(FormatBytes(~0ull), "16 EiB");
}

TEST(UnitsTest, WritesBytesLikeKubernetes) {
  EXPECT_EQ(CompactBytes(2ull << 30), "2Gi");
  EXPECT_EQ(CompactBytes(1742ull << 20), "1742Mi");
  EXPECT_EQ(CompactBytes(1500), "1Ki");
  EXPECT_EQ(CompactBytes(12), "12");
}

TEST(UnitsTest, WritesAgesInTheirLargestUnit) {
  EXPECT_EQ(FormatAge(-5), "0s");
  EXPECT_EQ(FormatAge(6 * kMinute), "6m");
  EXPECT_EQ(FormatAge(3 * kHour + 59 * kMinute), "3h");
  EXPECT_EQ(FormatAge(12 * kDay), "12d");
  EXPECT_EQ(FormatAgeLong(6 * kMinute), "6 min");
}

TEST(UnitsTest, WritesTimesInUtc) {
  EXPECT_EQ(FormatDateTime(kNow), "2026-11-23 03:18:41.318Z");
  EXPECT_EQ(FormatClock(kNow), "03:18:41.318");
}

class TextWidthTest : public ::testing::Test {
 protected:
  TextWidthTest() { UseUtf8Locale(); }
};

TEST_F(TextWidthTest, CountsWideAndCombiningCharacters) {
  EXPECT_EQ(TextWidth("漢字"), 4u);
  EXPECT_EQ(TextWidth("e\xcc\x81"), 1u);
  EXPECT_EQ(TextWidth(""), 0u);
}

TEST_F(TextWidthTest, ElidesTheMiddleAndKeepsToTheWidth) {
  EXPECT_EQ(ElideMiddle("/system.slice/batch.service", 15), "/sys…ch.service");
  EXPECT_LE(TextWidth(ElideMiddle("漢字漢字漢字", 6)), 6u);
  EXPECT_EQ(ElideMiddle("abc", 3), "abc");
  EXPECT_EQ(ElideMiddle("abc", 1), "…");
}

TEST_F(TextWidthTest, WrapsAtSpaces) {
  EXPECT_THAT(WrapWords("one two  three", 7), ElementsAre("one two", "three"));
}

TEST_F(TextWidthTest, AlignsWideCharactersInTables) {
  Table table({{"A"}, {"B"}});
  table.Add({{"漢"}, {"x"}});
  table.Add({{"ab"}, {"\\x1b"}});

  EXPECT_EQ(table.Render({}), "A   B\n漢  x\nab  \\x1b\n");
}

TEST(PrintableTest, EscapesOnlyWhatATerminalMustNotSee) {
  EXPECT_EQ(Printable("a\033b"), "a\\x1bb");
  EXPECT_EQ(Printable("a\\x1bb"), "a\\x1bb");
  EXPECT_EQ(Printable("漢"), "漢");
}

TEST(PrintableTest, ReachesMapsAndRepeatedFields) {
  v1::Event event = HogEvent();
  (*event.mutable_oom()->mutable_annotations())["k\033"] = "v\033";

  MakePrintable(&event);

  EXPECT_EQ(event.oom().annotations().at("k\\x1b"), "v\\x1b");
}

TEST(EventNamesTest, MarksASumOfWhichAPartIsUnknown) {
  v1::ProcessMemory memory;
  EXPECT_EQ(MemoryText(ResidentMemory(memory)), "unknown");
  memory.set_anon_bytes(1 << 20);
  EXPECT_EQ(MemoryText(ResidentMemory(memory)), "≥ 1 MiB");
  memory.set_file_bytes(0);
  memory.set_shmem_bytes(0);
  EXPECT_EQ(MemoryText(ResidentMemory(memory)), "1 MiB");
}

TEST(EventNamesTest, DoesNotOverflowOnLies) {
  v1::ProcessMemory memory;
  memory.set_anon_bytes(~0ull);
  memory.set_file_bytes(~0ull);
  EXPECT_EQ(ResidentMemory(memory), std::nullopt);
}

TEST(ReferenceTest, ShowsAsMuchOfAnIdAsTellsItFromItsNeighbours) {
  const v1::Event a = HogEvent("4k7qzd0123456789");
  const v1::Event b = HogEvent("4k7qzd1123456789");
  const v1::Event c = HogEvent("9k7qzd1123456789");

  EXPECT_THAT(ShortIds({&a, &b, &c}), ElementsAre("4k7qzd0", "4k7qzd1", "9k7qzd1"));
  EXPECT_THAT(ShortIds({&a, &c}), ElementsAre("4k7qzd", "9k7qzd"));
}

}  // namespace
}  // namespace oombox
