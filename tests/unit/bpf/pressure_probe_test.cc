// Real reclaim in cgroups of its own, as the programs in the kernel sum it up.
#include "agent/bpf_loader/pressure_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "agent/bpf_loader/kernel_features.h"
#include "agent/common/clock.h"
#include "tests/support/reclaim.h"

namespace oombox {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Ge;
using ::testing::Key;
using ::testing::Le;
using ::testing::Not;

constexpr uint64_t kLimit = 16 << 20;
constexpr uint64_t kPage = 4096;
constexpr uint64_t kChargeBatch = 64;  // MEMCG_CHARGE_BATCH (include/linux/memcontrol.h)

// Of the calling thread alone, and of those it has.
bool KeepCapabilities(std::initializer_list<int> kept) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct has[2] = {};
  __user_cap_data_struct keeps[2] = {};
  if (syscall(SYS_capget, &header, has) != 0) {
    return false;
  }
  for (const int capability : kept) {
    const uint32_t bit = has[capability / 32].permitted & (1U << (capability % 32));
    keeps[capability / 32].effective |= bit;
    keeps[capability / 32].permitted |= bit;
  }
  return syscall(SYS_capset, &header, keeps) == 0;
}

class PressureProbeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto may = CheckMayLoad(); !may) {
      GTEST_SKIP() << may.error().message;
    }
    if (const auto features = ReadKernelFeatures(); !features) {
      GTEST_SKIP() << features.error().message;
    }
    hierarchy_ = FindOwnHierarchy();
    if (!hierarchy_ || !MakeCgroup("probe", kLimit)) {
      GTEST_SKIP() << "no memory cgroup can be made here";
    }
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    auto probe = LoadPressureProbe();
    if (!probe && probe.error().os_error == EPERM) {  // a seccomp filter; the verifier's is EACCES
      GTEST_SKIP() << probe.error().message;
    }
    ASSERT_TRUE(probe.has_value()) << probe.error().message;
    probe_ = std::move(*probe);
  }

  std::unique_ptr<Cgroup> MakeCgroup(const std::string& name, std::optional<uint64_t> limit) {
    return MakeCgroupBelow(hierarchy_->own_path, name, limit);
  }

  std::unique_ptr<Cgroup> MakeCgroupBelow(const std::string& parent, const std::string& name,
                                          std::optional<uint64_t> limit) {
    auto cgroup = Cgroup::Create(*hierarchy_, parent,
                                 fmt::format("oombox-pressure-{}-{}", name, getpid()), limit);
    if (!cgroup) {
      return nullptr;
    }
    if (limit && hierarchy_->version == 1) {
      // memory+swap is charged first, and newer kernels do not count its failures.
      static_cast<void>(WriteSmallFile(FileOf(**cgroup, "memory.memsw.limit_in_bytes"), "-1"));
    }
    return std::move(*cgroup);
  }

  std::string FileOf(const Cgroup& cgroup, const std::string& name) const {
    return *hierarchy_->DirectoryOf(cgroup.path()) + "/" + name;
  }

  // What the kernel itself has counted for a cgroup that has a limit: on v2 each reclaim, on v1
  // each failed charge. A batch that fails is tried again as a single page, which may well fit.
  void ExpectKernelsCount(const Cgroup& cgroup, uint64_t count) const {
    if (hierarchy_->version == 2) {
      const auto events =
          ParseKeyedNumbers(ReadSmallFile(FileOf(cgroup, "memory.events")).value_or(""));
      EXPECT_EQ(count, events.at("max"));
    } else {
      const uint64_t failed = ReadNumber(FileOf(cgroup, "memory.failcnt")).value_or(0);
      EXPECT_THAT(count, AllOf(Ge(failed / (kChargeBatch + 1)), Le(failed)));
    }
  }

  std::map<uint64_t, ReclaimCounts> Counts() const { return probe_->Read().value(); }
  ReclaimCounts CountsOf(const Cgroup& cgroup) const { return CountsOf(cgroup.id()); }
  ReclaimCounts CountsOf(uint64_t id) const {
    const auto counts = Counts();
    const auto at = counts.find(id);
    return at == counts.end() ? ReclaimCounts{} : at->second;
  }

  static bool ReclaimIn(const Cgroup& cgroup, uint64_t bytes = 4 * kLimit) {
    return EndedWell(StartIn(cgroup, [bytes] { return TouchReclaimable(bytes); }));
  }

  Result<Hierarchy> hierarchy_;
  std::shared_ptr<ReclaimSource> probe_;
};

TEST_F(PressureProbeTest, SumsUpTheReclaimOfACgroupThatIsAtItsLimit) {
  const auto full = MakeCgroup("full", kLimit);
  const auto idle = MakeCgroup("idle", kLimit);
  ASSERT_TRUE(full && idle);
  const auto before = probe_->health();
  const uint64_t begin_ns = BootNowNs();

  ASSERT_TRUE(ReclaimIn(*full));
  ASSERT_TRUE(EndedWell(StartIn(*idle, [] { return TouchReclaimable(kLimit / 4); })));

  const ReclaimCounts counts = CountsOf(*full);
  ExpectKernelsCount(*full, counts.count);
  EXPECT_THAT(counts.reclaimed_pages, AllOf(Ge(3 * kLimit / kPage), Le(5 * kLimit / kPage)));
  EXPECT_THAT(counts.usage_pages, AllOf(Ge(kLimit / kPage - kChargeBatch), Le(kLimit / kPage)));
  EXPECT_THAT(counts.usage_max_pages, AllOf(Ge(counts.usage_pages), Le(kLimit / kPage)));
  const uint64_t end_ns = BootNowNs();
  EXPECT_THAT(counts.longest_ns, AllOf(Ge(counts.stall_ns / counts.count), Le(counts.stall_ns)));
  EXPECT_THAT(counts.stall_ns, AllOf(Ge(counts.count * 500), Le(end_ns - begin_ns)));
  EXPECT_THAT(counts.last_boottime_ns, AllOf(Ge(begin_ns), Le(end_ns)));
  EXPECT_THAT(Counts(), Not(Contains(Key(idle->id()))));
  const auto after = probe_->health();
  EXPECT_GE(after.reclaims - before.reclaims, counts.count);
  EXPECT_GE(after.run_ns - before.run_ns, counts.count * 50);
  EXPECT_EQ(after.lost, before.lost);
  EXPECT_FALSE(after.disarmed);
}

TEST_F(PressureProbeTest, NamesTheCgroupWhoseLimitItWasWhereTheKernelDoes) {
  const auto parent = MakeCgroup("parent", kLimit);
  ASSERT_TRUE(parent);
  if (hierarchy_->version == 2) {
    ASSERT_TRUE(WriteSmallFile(FileOf(*parent, "cgroup.subtree_control"), "+memory"));
  }
  const auto child = MakeCgroupBelow(parent->path(), "child", std::nullopt);
  ASSERT_TRUE(child);

  ASSERT_TRUE(ReclaimIn(*child));

  const auto features = ReadKernelFeatures();
  const bool names_target = probe_->health().names_target;
  EXPECT_EQ(names_target, features->reclaim_names_target);
  ExpectKernelsCount(*parent, CountsOf(names_target ? *parent : *child).count);
  EXPECT_THAT(Counts(), Not(Contains(Key((names_target ? *child : *parent).id()))));
}

TEST_F(PressureProbeTest, ACgroupThatIsForgottenBeginsAnew) {
  const auto cgroup = MakeCgroup("forgotten", kLimit);
  ASSERT_TRUE(cgroup && ReclaimIn(*cgroup));
  ASSERT_GT(CountsOf(*cgroup).count, 0U);
  probe_->Forget(cgroup->id());
  EXPECT_EQ(CountsOf(*cgroup).count, 0U);
  ASSERT_TRUE(ReclaimIn(*cgroup));
  EXPECT_GT(CountsOf(*cgroup).count, 0U);
}

TEST_F(PressureProbeTest, DisarmedItCountsNothing) {
  const auto cgroup = MakeCgroup("disarmed", kLimit);
  ASSERT_TRUE(cgroup);
  probe_->Arm(false);
  ASSERT_TRUE(ReclaimIn(*cgroup));
  EXPECT_EQ(CountsOf(*cgroup).count, 0U);
  EXPECT_TRUE(probe_->health().disarmed);
}

TEST_F(PressureProbeTest, OnceLoadedItNeedsNoCapability) {
  const auto cgroup = MakeCgroup("plain", kLimit);
  ASSERT_TRUE(cgroup && ReclaimIn(*cgroup));
  uint64_t seen = 0;
  uint64_t left = 1;
  std::thread([&] {
    if (KeepCapabilities({})) {
      seen = CountsOf(*cgroup).count;
      probe_->Forget(cgroup->id());
      left = CountsOf(*cgroup).count;
    }
  }).join();
  EXPECT_GT(seen, 0U);
  EXPECT_EQ(left, 0U);
}

}  // namespace
}  // namespace oombox
