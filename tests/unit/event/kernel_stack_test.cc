#include "agent/event/kernel_stack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace oombox {
namespace {

using Frames = std::vector<std::string>;

class FakeSymbols final : public StackSymbols {
 public:
  std::optional<Frames> Known(std::span<const uint64_t> addresses) override {
    return knows_ ? std::optional(LookUp(addresses)) : std::nullopt;
  }
  Frames LookUp(std::span<const uint64_t> addresses) override {
    knows_ = true;
    return {names_.begin(), names_.begin() + static_cast<long>(addresses.size())};
  }
  Frames names_ = {"bpf_prog_1+0x2", "mark_oom_victim+0x10", "oom_kill_process+0x20",
                   "handle_mm_fault+0x30"};
  bool knows_ = false;
};

v1::OomEvent WithStack() {
  v1::OomEvent oom;
  for (const uint64_t address : {1, 2, 3, 4}) {
    oom.mutable_trigger()->add_kernel_stack()->set_address(address);
  }
  return oom;
}

TEST(KernelStackTest, TellsWhatTheTriggerWasDoing) {
  const Frames fault = {"mark_oom_victim+0x1", "try_charge_memcg+0x2", "do_anonymous_page+0x1",
                        "handle_mm_fault+0x3", "asm_exc_page_fault+0x4"};
  const Frames tmpfs = {"mark_oom_victim", "shmem_write_begin+0x3", "generic_perform_write+0x1"};
  const Frames tmpfs_fault = {"mark_oom_victim", "shmem_fault+0x3", "handle_mm_fault+0x1"};
  const Frames read = {"mark_oom_victim", "page_cache_ra_unbounded+0x1", "filemap_read+0x2"};
  const Frames fork = {"mark_oom_victim", "alloc_thread_stack_node+0x2", "copy_process+0x3"};
  const Frames sysrq = {"mark_oom_victim", "out_of_memory+0x2", "moom_callback+0x1"};
  const Frames other = {"mark_oom_victim", "pipe_write+0x3"};

  EXPECT_EQ(ActivityOf(fault), v1::Trigger::ACTIVITY_PAGE_FAULT);
  EXPECT_EQ(ActivityOf(tmpfs), v1::Trigger::ACTIVITY_TMPFS);
  EXPECT_EQ(ActivityOf(tmpfs_fault), v1::Trigger::ACTIVITY_TMPFS);
  EXPECT_EQ(ActivityOf(read), v1::Trigger::ACTIVITY_PAGE_CACHE_READ);
  EXPECT_EQ(ActivityOf(fork), v1::Trigger::ACTIVITY_FORK);
  EXPECT_EQ(ActivityOf(sysrq), v1::Trigger::ACTIVITY_SYSRQ);
  EXPECT_EQ(ActivityOf(other), v1::Trigger::ACTIVITY_KERNEL_MEMORY);
  EXPECT_EQ(ActivityOf(Frames{"", ""}), v1::Trigger::ACTIVITY_UNSPECIFIED);
}

TEST(KernelStackTest, NamesTheFramesFromTheOomKillerOutwards) {
  FakeSymbols symbols;
  v1::OomEvent oom = WithStack();
  ASSERT_TRUE(NeedsSymbols(oom));

  symbols.knows_ = true;
  NameFramesAtLast(symbols, oom);

  ASSERT_EQ(oom.trigger().kernel_stack_size(), 3);
  EXPECT_EQ(oom.trigger().kernel_stack(0).symbol(), "mark_oom_victim+0x10");
  EXPECT_EQ(oom.trigger().activity(), v1::Trigger::ACTIVITY_PAGE_FAULT);
  EXPECT_FALSE(NeedsSymbols(oom));
}

TEST(KernelStackTest, WaitsWithALookUpUntilItIsAskedFor) {
  FakeSymbols symbols;
  v1::OomEvent oom = WithStack();

  NameKnownFrames(symbols, oom);
  EXPECT_TRUE(NeedsSymbols(oom));
  symbols.knows_ = true;
  NameKnownFrames(symbols, oom);
  EXPECT_FALSE(NeedsSymbols(oom));
}

TEST(KernelStackTest, SaysThatNamesCameTooLate) {
  FakeSymbols symbols;
  v1::OomEvent oom = WithStack();

  NameFramesAtLast(symbols, oom);

  ASSERT_EQ(oom.quality().missing_size(), 1);
  EXPECT_EQ(oom.quality().missing(0).reason(), "the kernel's symbols were not read in time");
}

TEST(KernelStackTest, SaysThatTheKernelHidesItsSymbols) {
  FakeSymbols symbols;
  symbols.names_ = Frames(4);
  v1::OomEvent oom = WithStack();

  symbols.knows_ = true;
  NameFramesAtLast(symbols, oom);

  EXPECT_EQ(oom.trigger().kernel_stack_size(), 4);
  ASSERT_EQ(oom.quality().missing_size(), 1);
  EXPECT_EQ(oom.quality().missing(0).field(), "trigger.kernel_stack.symbol");
}

}  // namespace
}  // namespace oombox
