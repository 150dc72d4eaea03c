#include "agent/pressure/parse.h"

#include <gtest/gtest.h>

namespace oombox {
namespace {

// Linux 6.12, a container that reads files.
constexpr const char* kStatV2 =
    "anon 104857600\nfile 52428800\nkernel 8388608\nkernel_stack 65536\npagetables 131072\n"
    "sock 4096\nshmem 10485760\ninactive_file 31457280\nactive_file 10485760\n"
    "slab_reclaimable 6291456\nslab_unreclaimable 1048576\n";

TEST(ParseTest, MemoryStatOfV2GivesWhatIsHeldAndWhatCannotBeReclaimed) {
  MemorySample sample{.usage_bytes = 170000000};
  ParseStatV2(kStatV2, sample);
  EXPECT_EQ(sample.anon_bytes, 104857600U);
  EXPECT_EQ(sample.shmem_bytes, 10485760U);
  EXPECT_EQ(sample.file_bytes, 52428800U - 10485760U);
  EXPECT_EQ(sample.kernel_bytes, 8388608U);
  EXPECT_EQ(sample.slab_reclaimable_bytes, 6291456U);
  EXPECT_EQ(sample.working_set_bytes, 170000000U - 31457280U);
  // anon, shmem, sockets, and the kernel's without the reclaimable slabs.
  EXPECT_EQ(sample.unreclaimable_bytes, 104857600U + 10485760U + 4096U + 8388608U - 6291456U);
}

TEST(ParseTest, BeforeLinux518TheKernelsShareIsTheSumOfItsParts) {
  MemorySample sample{.usage_bytes = 1 << 20};
  ParseStatV2("anon 0\nslab 4096\nkernel_stack 8192\npagetables 4096\npercpu 4096\n", sample);
  EXPECT_EQ(sample.kernel_bytes, 20480U);
}

TEST(ParseTest, OfV1TheTotalsCountBecauseTheUsageHasWhatIsBelow) {
  MemorySample sample{.usage_bytes = 100 << 20};
  ParseStatV1(
      "cache 1\nrss 1\nshmem 1\ninactive_file 1\ntotal_cache 31457280\ntotal_rss 41943040\n"
      "total_shmem 1048576\ntotal_inactive_file 10485760\n",
      sample);
  EXPECT_EQ(sample.anon_bytes, 41943040U);
  EXPECT_EQ(sample.file_bytes, 31457280U - 1048576U);
  EXPECT_EQ(sample.working_set_bytes, (90U << 20));
}

TEST(ParseTest, WhatCannotBeReclaimedIsNeverMoreThanThereIs) {
  MemorySample sample{.usage_bytes = 4096};
  ParseStatV2("anon 8192\n", sample);
  EXPECT_EQ(sample.unreclaimable_bytes, 4096U);
}

TEST(ParseTest, WhatIsNotSaidIsAbsent) {
  MemorySample sample{.usage_bytes = 4096};
  ParseStatV2("nothing known\nanon\nanon x\n", sample);
  EXPECT_FALSE(sample.anon_bytes);
  EXPECT_FALSE(sample.kernel_bytes);
  EXPECT_FALSE(sample.working_set_bytes);
  EXPECT_FALSE(sample.unreclaimable_bytes);
}

TEST(ParseTest, MaxAndTheBiggestNumberAreNoLimit) {
  EXPECT_EQ(ParseLimit("1048576\n"), 1048576U);
  EXPECT_EQ(ParseLimit("0\n"), 0U);
  EXPECT_FALSE(ParseLimit("max\n"));
  EXPECT_FALSE(ParseLimit("9223372036854771712\n"));
  EXPECT_FALSE(ParseLimit(""));
  EXPECT_FALSE(ParseLimit("12 34\n"));
  EXPECT_FALSE(ParseNumber("-1\n"));
  EXPECT_FALSE(ParseNumber("99999999999999999999999\n"));
}

TEST(ParseTest, PressureHasAveragesAndTotals) {
  MemorySample sample;
  EXPECT_TRUE(
      ParsePressure("some avg10=1.50 avg60=0.25 avg300=0.00 total=1234\n"
                    "full avg10=0.75 avg60=0.10 avg300=0.00 total=567\n",
                    sample));
  EXPECT_EQ(sample.some_avg10, 1.5);
  EXPECT_EQ(sample.some_avg60, 0.25);
  EXPECT_EQ(sample.full_avg10, 0.75);
  EXPECT_EQ(sample.some_total_us, 1234U);
  EXPECT_EQ(sample.full_total_us, 567U);
}

TEST(ParseTest, NonsenseIsNoPressure) {
  MemorySample sample;
  EXPECT_FALSE(ParsePressure("", sample));
  EXPECT_FALSE(ParsePressure("some avg10=nan avg60= total=\n", sample));
  EXPECT_FALSE(ParsePressure("some avg10=1000.0 avg60=-3\n", sample));
  EXPECT_FALSE(sample.some_avg10);
}

TEST(ParseTest, MeminfoIsTheMemoryOfACgroupWithTheMachineAsItsLimit) {
  MemorySample sample;
  EXPECT_TRUE(
      ParseMeminfo("MemTotal:       1000 kB\nMemFree:         300 kB\n"
                   "MemAvailable:    600 kB\nBuffers:          10 kB\nCached:          200 "
                   "kB\nShmem:            50 kB\nAnonPages:       350 kB\n",
                   sample));
  EXPECT_EQ(sample.limit_bytes, 1000U * 1024);
  EXPECT_EQ(sample.usage_bytes, 700U * 1024);
  EXPECT_EQ(sample.working_set_bytes, 400U * 1024);
  EXPECT_EQ(sample.file_bytes, 160U * 1024);
  EXPECT_FALSE(ParseMeminfo("MemTotal: kB\n", sample));
}

TEST(ParseTest, LoadavgCountsTasks) {
  EXPECT_EQ(ParseLoadavgTasks("0.10 0.20 0.30 2/345 6789\n"), 345U);
  EXPECT_FALSE(ParseLoadavgTasks("0.10\n"));
}

}  // namespace
}  // namespace oombox
