#include "agent/capture/kernel_log_parser.h"

#include <gtest/gtest.h>

namespace oombox {
namespace {

using Constraint = LoggedKill::Constraint;

constexpr const char* kValues =
    "total-vm:15144kB, anon-rss:8448kB, file-rss:1404kB, shmem-rss:4kB, UID:1000 pgtables:68kB "
    "oom_score_adj:-500";

// The kills of lines as the kernel writes them, a millisecond after one another.
class Log {
 public:
  Log& Line(const std::string& text, uint64_t after_us = 1000) {
    time_us_ += after_us;
    parser_.Feed({.from_kernel = true, .time_us = time_us_, .text = text});
    return *this;
  }
  Log& Back(uint64_t us) {
    time_us_ -= us;
    return *this;
  }
  Log& Piece(const std::string& text) {
    parser_.Feed({.from_kernel = true, .continues = true, .time_us = time_us_, .text = text});
    return *this;
  }
  Log& Written(const std::string& text) {
    parser_.Feed({.from_kernel = false, .time_us = time_us_, .text = text});
    return *this;
  }
  // A report and the kill that it is of.
  Log& Kill(uint32_t pid, const std::string& comm, const std::string& oom_memcg,
            const std::string& task_memcg) {
    return Line(comm + " invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0")
        .Line(Report("CONSTRAINT_MEMCG", "/", ",oom_memcg=" + oom_memcg, task_memcg, comm, pid))
        .Line(Killed(pid, comm));
  }
  std::vector<LoggedKill> kills() { return std::move(parser_).Take(); }

  static std::string Report(const std::string& constraint, const std::string& cpuset,
                            const std::string& fired, const std::string& task_memcg,
                            const std::string& comm, uint32_t pid) {
    return "oom-kill:constraint=" + constraint + ",nodemask=(null),cpuset=" + cpuset +
           ",mems_allowed=0-1,3" + fired + ",task_memcg=" + task_memcg + ",task=" + comm +
           ",pid=" + std::to_string(pid) + ",uid=1000";
  }
  static std::string Killed(uint32_t pid, const std::string& comm) {
    return "Memory cgroup out of memory: Killed process " + std::to_string(pid) + " (" + comm +
           ") " + kValues;
  }

 private:
  uint64_t time_us_ = 1'000'000;
  KernelLogParser parser_;
};

TEST(KmsgRecordTest, ReadsPriorityTimeAndText) {
  const auto record = ParseKmsgRecord("3,1852,535237743,-;Out of memory\n SUBSYSTEM=mm\n");

  ASSERT_TRUE(record);
  EXPECT_TRUE(record->from_kernel);
  EXPECT_FALSE(record->continues);
  EXPECT_EQ(record->time_us, 535237743U);
  EXPECT_EQ(record->text, "Out of memory");
}

TEST(KmsgRecordTest, KnowsAProgramsRecordAndAPieceWithItsCaller) {
  EXPECT_FALSE(ParseKmsgRecord("12,1,1,-;forged")->from_kernel);
  EXPECT_TRUE(ParseKmsgRecord("6,1,1,c,caller=T99;rest")->continues);
}

TEST(KmsgRecordTest, UnescapesEveryByteOnce) {
  EXPECT_EQ(ParseKmsgRecord("6,1,1,-;a\\x0ab\\x5cx41\\xff\\x4")->text, "a\nb\\x41\xff\\x4");
}

TEST(KmsgRecordTest, RefusesWhatIsNoRecord) {
  for (const char* bytes : {"", ";", "6,1;x", "x,1,1,-;x", "6,1,1,-", "-6,1,1,-;x"}) {
    EXPECT_FALSE(ParseKmsgRecord(bytes)) << bytes;
  }
}

TEST(KernelLogParserTest, PutsTheReportAndTheKillTogether) {
  const auto kills = Log().Line("memory: usage 8kB, limit 12kB, failcnt 3").kills();
  EXPECT_TRUE(kills.empty());

  const auto found =
      Log()
          .Line("memhog invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0")
          .Line("memory: usage 8kB, limit 12kB, failcnt 3")
          .Line(Log::Report("CONSTRAINT_MEMCG", "/", ",oom_memcg=/pods", "/pods/a", "memhog", 9400))
          .Line(Log::Killed(9400, "memhog"))
          .kills();

  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0], (LoggedKill{.log_time_us = 1'004'000,
                                  .tgid = 9400,
                                  .comm = "memhog",
                                  .uid = 1000,
                                  .oom_score_adj = -500,
                                  .cgroup_limit = true,
                                  .constraint = Constraint::kMemcg,
                                  .victim_cgroup = "/pods/a",
                                  .fired_cgroup = "/pods",
                                  .usage_bytes = 8192,
                                  .limit_bytes = 12288,
                                  .total_vm_bytes = 15144 * 1024,
                                  .anon_bytes = 8448 * 1024,
                                  .file_bytes = 1404 * 1024,
                                  .shmem_bytes = 4096,
                                  .page_tables_bytes = 68 * 1024}));
}

TEST(KernelLogParserTest, KnowsAKillOfTheMachine) {
  const auto kills = Log()
                         .Line(Log::Report("CONSTRAINT_NONE", "/", ",global_oom", "/user", "x", 7))
                         .Line(std::string("Out of memory: Killed process 7 (x) ") + kValues)
                         .kills();

  ASSERT_EQ(kills.size(), 1U);
  EXPECT_FALSE(kills[0].cgroup_limit);
  EXPECT_EQ(kills[0].constraint, Constraint::kNone);
  EXPECT_EQ(kills[0].fired_cgroup, std::nullopt);
  EXPECT_EQ(kills[0].victim_cgroup, "/user");
}

TEST(KernelLogParserTest, KeepsAKillWhoseReportTheKernelSuppressed) {
  const auto kills = Log().Line(Log::Killed(7, "x")).kills();

  ASSERT_EQ(kills.size(), 1U);
  EXPECT_EQ(kills[0].victim_cgroup, std::nullopt);
  EXPECT_EQ(kills[0].constraint, Constraint::kMemcg);
  EXPECT_EQ(kills[0].anon_bytes, 8448U * 1024);
}

TEST(KernelLogParserTest, DoesNotTakeTheReportOfAnotherProcess) {
  const auto kills = Log()
                         .Line(Log::Report("CONSTRAINT_MEMCG", "/", ",oom_memcg=/a", "/a", "x", 8))
                         .Line(Log::Killed(7, "x"))
                         .kills();

  EXPECT_EQ(kills[0].victim_cgroup, std::nullopt);
}

TEST(KernelLogParserTest, CountsTheFirstVictimOfAGroupOnce) {
  const auto kills = Log()
                         .Kill(7, "x", "/g", "/g")
                         .Line("Tasks in /g are going to be killed due to memory.oom.group set")
                         .Line(Log::Killed(8, "y"))
                         .Line(Log::Killed(7, "x"))
                         .Line(Log::Killed(9, "z"))
                         .kills();

  ASSERT_EQ(kills.size(), 3U);
  EXPECT_FALSE(kills[0].group_member);
  EXPECT_TRUE(kills[1].group_member);
  EXPECT_TRUE(kills[2].group_member);
  EXPECT_EQ(kills[2].tgid, 9U);
}

TEST(KernelLogParserTest, KnowsAGroupWhoseLinesOfTwoCpusHaveChangedPlaces) {
  const auto kills = Log()
                         .Kill(7, "x", "/g", "/g")
                         .Line("Tasks in /g are going to be killed due to memory.oom.group set")
                         .Back(1)
                         .Line(Log::Killed(8, "y"), 0)
                         .Back(2)
                         .Line(Log::Killed(8, "y"), 0)
                         .kills();

  ASSERT_EQ(kills.size(), 2U);
  EXPECT_TRUE(kills[1].group_member);
}

TEST(KernelLogParserTest, TakesAPidThatIsUsedAgainForAnotherKill) {
  const auto kills = Log().Line(Log::Killed(7, "x")).Line(Log::Killed(7, "y"), 60'000'000).kills();

  EXPECT_EQ(kills.size(), 2U);
}

TEST(KernelLogParserTest, JoinsAReportThatWasWrittenInPieces) {
  const std::string whole = Log::Report("CONSTRAINT_MEMCG", "/", ",oom_memcg=/a", "/a/b", "x", 7);

  const auto kills = Log()
                         .Line(whole.substr(0, 60))
                         .Piece(whole.substr(60, 30))
                         .Piece(whole.substr(90))
                         .Line(Log::Killed(7, "x"))
                         .kills();

  EXPECT_EQ(kills[0].victim_cgroup, "/a/b");
}

TEST(KernelLogParserTest, IsNotDeceivedByNames) {
  const std::string comms[] = {"a) total-vm:1k", ",task=x",       ",pid=1,uid=0", "a (b)",
                               ") total-vm:",    "a\nOut of me:", "\xff\xfe"};
  for (const std::string& comm : comms) {
    const auto kills = Log().Kill(7, comm, "/a", "/a/,task=b,pid=3").kills();
    ASSERT_EQ(kills.size(), 1U) << comm;
    EXPECT_EQ(kills[0].comm, comm);
    EXPECT_EQ(kills[0].victim_cgroup, "/a/,task=b,pid=3") << comm;
    EXPECT_EQ(kills[0].page_tables_bytes, 68U * 1024) << comm;
  }
}

TEST(KernelLogParserTest, ReadsPathsThatHoldTheWordsBetweenThem) {
  const std::string paths[] = {"/a,oom_memcg=b", "/a,global_oom", "/a b,mems_allowed=0",
                               "/x,cpuset=/,task=y"};
  for (const std::string& path : paths) {
    const auto kills = Log().Kill(7, "x", path, path + "/c").kills();
    ASSERT_EQ(kills.size(), 1U);
    EXPECT_EQ(kills[0].fired_cgroup, path);
    EXPECT_EQ(kills[0].victim_cgroup, path + "/c");
  }
}

TEST(KernelLogParserTest, LeavesPathsOutThatCanBeReadInTwoWays) {
  // The limit of "/a" or of "/a,task_memcg=/a/b": nobody can tell.
  const auto kills = Log().Kill(7, "x", "/a", "/a/b,task_memcg=/a,task_memcg=/a/b/c").kills();

  ASSERT_EQ(kills.size(), 1U);
  EXPECT_EQ(kills[0].fired_cgroup, std::nullopt);
  EXPECT_EQ(kills[0].victim_cgroup, std::nullopt);
}

TEST(KernelLogParserTest, BelievesOnlyTheKernel) {
  EXPECT_TRUE(Log().Written(Log::Killed(7, "x")).kills().empty());
  EXPECT_TRUE(Log().Line("x: " + Log::Killed(7, "x")).kills().empty());
  EXPECT_TRUE(Log().Piece(Log::Killed(7, "x")).kills().empty());
}

TEST(KernelLogParserTest, ReadsALineOfANewerKernelWithOtherValues) {
  const auto kills = Log()
                         .Line(
                             "Out of memory: Killed process 7 (x) total-vm:8kB, new-rss:1kB, "
                             "anon-rss:oopskB, pgtables:16kB")
                         .kills();

  ASSERT_EQ(kills.size(), 1U);
  EXPECT_EQ(kills[0].total_vm_bytes, 8192U);
  EXPECT_EQ(kills[0].anon_bytes, std::nullopt);
  EXPECT_EQ(kills[0].uid, std::nullopt);
  EXPECT_EQ(kills[0].page_tables_bytes, 16384U);
}

TEST(KernelLogParserTest, RefusesHalfALine) {
  for (const char* text :
       {"Out of memory: Killed process", "Out of memory: Killed process 7",
        "Out of memory: Killed process 7 (x)", "Out of memory: Killed process 0 (x) total-vm:1kB",
        "Out of memory: Killed process 7 (longer than a comm) total-vm:1kB"}) {
    EXPECT_TRUE(Log().Line(text).kills().empty()) << text;
  }
}

}  // namespace
}  // namespace oombox
