// The layout that the compiled BPF object has (from its BTF) against the one this compiler gives
// the same header: a difference would be silent nonsense in every event.
#include <bpf/btf.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <string>

#include "bpf/oombox_abi.h"
#include "bpf/oombox_pinned.h"

namespace oombox {
namespace {

struct FreeBtf {
  void operator()(btf* b) const { btf__free(b); }
};

class AbiTest : public ::testing::Test {
 protected:
  void SetUp() override {
    btf_.reset(btf__parse(OOMBOX_KILL_OBJECT, nullptr));
    ASSERT_NE(btf_, nullptr);
  }

  const btf_type* Struct(const std::string& name) {
    const int id = btf__find_by_name_kind(btf_.get(), name.c_str(), BTF_KIND_STRUCT);
    return id < 0 ? nullptr : btf__type_by_id(btf_.get(), id);
  }

  size_t Size(const std::string& name) {
    const btf_type* type = Struct(name);
    return type == nullptr ? 0 : type->size;
  }

  size_t Offset(const std::string& name, const std::string& member) {
    const btf_type* type = Struct(name);
    for (int i = 0; type != nullptr && i < btf_vlen(type); ++i) {
      if (member == btf__name_by_offset(btf_.get(), btf_members(type)[i].name_off)) {
        return btf_member_bit_offset(type, i) / 8;
      }
    }
    ADD_FAILURE() << name << "." << member << " is not in the object";
    return 0;
  }

  std::unique_ptr<btf, FreeBtf> btf_;
};

#define EXPECT_SAME_SIZE(type) EXPECT_EQ(Size(#type), sizeof(struct type))
#define EXPECT_SAME_OFFSET(type, member) \
  EXPECT_EQ(Offset(#type, #member), offsetof(struct type, member)) << #member

TEST_F(AbiTest, GivesEveryStructTheSameSize) {
  EXPECT_SAME_SIZE(oombox_record_header);
  EXPECT_SAME_SIZE(oombox_memory);
  EXPECT_SAME_SIZE(oombox_process);
  EXPECT_SAME_SIZE(oombox_cgroup);
  EXPECT_SAME_SIZE(oombox_stat);
  EXPECT_SAME_SIZE(oombox_parent);
  EXPECT_SAME_SIZE(oombox_cgroup_tail);
  EXPECT_SAME_SIZE(oombox_signal_record);
  EXPECT_SAME_SIZE(oombox_cmdline_record);
  EXPECT_SAME_SIZE(oombox_kill_record);
  EXPECT_SAME_SIZE(oombox_kill_counters);
  EXPECT_SAME_SIZE(oombox_attachment);
}

TEST_F(AbiTest, GivesEveryMemberTheSameOffset) {
  EXPECT_SAME_OFFSET(oombox_record_header, size);
  EXPECT_SAME_OFFSET(oombox_record_header, boottime_ns);
  EXPECT_SAME_OFFSET(oombox_process, start_boottime_ns);
  EXPECT_SAME_OFFSET(oombox_process, memory);
  EXPECT_SAME_OFFSET(oombox_process, comm);
  EXPECT_SAME_OFFSET(oombox_cgroup, flags);
  EXPECT_SAME_OFFSET(oombox_cgroup, name_len);
  EXPECT_SAME_OFFSET(oombox_kill_record, victim);
  EXPECT_SAME_OFFSET(oombox_kill_record, trigger_comm);
  EXPECT_SAME_OFFSET(oombox_kill_record, walk_total);
  EXPECT_SAME_OFFSET(oombox_kill_record, decision);
  EXPECT_SAME_OFFSET(oombox_kill_record, parts);
  EXPECT_SAME_OFFSET(oombox_kill_record, tail);
  EXPECT_SAME_OFFSET(oombox_process, exact);
  EXPECT_SAME_OFFSET(oombox_process, exe);
  EXPECT_SAME_OFFSET(oombox_cgroup, events);
  EXPECT_SAME_OFFSET(oombox_signal_record, target);
  EXPECT_SAME_OFFSET(oombox_signal_record, sender_cgroup);
  EXPECT_SAME_OFFSET(oombox_parent, comm);
  EXPECT_SAME_OFFSET(oombox_cmdline_record, bytes);
  EXPECT_SAME_OFFSET(oombox_attachment, rank_budget_ns);
  EXPECT_SAME_OFFSET(oombox_kill_counters, longest_run_ns);
}

// Two builds share these maps during an upgrade: what is reserved is used up, the size stays.
TEST_F(AbiTest, KeepsTheSizeOfWhatIsPinned) {
  EXPECT_EQ(OOMBOX_PIN_ABI, 2);
  EXPECT_EQ(sizeof(oombox_kill_counters), 256U);
  EXPECT_EQ(sizeof(oombox_attachment), 256U);
  EXPECT_EQ(Size("trigger_state"), 72U);
  EXPECT_EQ(Size("victim_state"), 24U);
}

TEST_F(AbiTest, HasNoHiddenPadding) {
  EXPECT_EQ(sizeof(oombox_process), 6 * 4 + 2 * 8 + sizeof(oombox_memory) +
                                        sizeof(oombox_exact_memory) + 2 * 4 + OOMBOX_COMM_LEN +
                                        OOMBOX_EXE_LEN);
  EXPECT_EQ(sizeof(oombox_cgroup), (14 + 2 * OOMBOX_EVENTS) * 8 + 4 + 2 + 2U);
  EXPECT_EQ(offsetof(oombox_kill_record, tail) % 8, 0U);
  EXPECT_EQ(sizeof(oombox_parent), 4 * 4 + 8U + OOMBOX_COMM_LEN);
  EXPECT_EQ(
      sizeof(oombox_signal_record),
      16 + 4 * 4 + 8 + OOMBOX_COMM_LEN + sizeof(oombox_process) + 2 * (8 + 2 * OOMBOX_MAX_NAME));
  EXPECT_EQ(sizeof(oombox_cmdline_record), 16 + 4 * 4 + 2 * 8U + OOMBOX_MAX_CMDLINE);
}

}  // namespace
}  // namespace oombox
