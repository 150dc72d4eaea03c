#include "agent/event/kernel_stack.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "agent/event/assemble_parts.h"

namespace oombox {

namespace {

struct Hint {
  std::string_view prefix;
  v1::Trigger::Activity activity;
};

// Of each frame's function, the first that fits; the innermost frame that has a hint decides. Names
// of mm/, fs/, kernel/fork.c and net/ as of Linux 5.10 to 7.3.
constexpr std::array kHints = {
    Hint{"moom_callback", v1::Trigger::ACTIVITY_SYSRQ},
    Hint{"mem_cgroup_resize_max", v1::Trigger::ACTIVITY_LIMIT_CHANGE},
    Hint{"memory_max_write", v1::Trigger::ACTIVITY_LIMIT_CHANGE},
    Hint{"shmem_", v1::Trigger::ACTIVITY_TMPFS},
    Hint{"filemap_fault", v1::Trigger::ACTIVITY_PAGE_CACHE_READ},
    Hint{"filemap_read", v1::Trigger::ACTIVITY_PAGE_CACHE_READ},
    Hint{"generic_file_buffered_read", v1::Trigger::ACTIVITY_PAGE_CACHE_READ},
    Hint{"page_cache_ra_", v1::Trigger::ACTIVITY_PAGE_CACHE_READ},
    Hint{"page_cache_readahead", v1::Trigger::ACTIVITY_PAGE_CACHE_READ},
    Hint{"page_cache_sync_ra", v1::Trigger::ACTIVITY_PAGE_CACHE_READ},
    Hint{"page_cache_async_ra", v1::Trigger::ACTIVITY_PAGE_CACHE_READ},
    Hint{"generic_perform_write", v1::Trigger::ACTIVITY_PAGE_CACHE_WRITE},
    Hint{"iomap_file_buffered_write", v1::Trigger::ACTIVITY_PAGE_CACHE_WRITE},
    Hint{"btrfs_buffered_write", v1::Trigger::ACTIVITY_PAGE_CACHE_WRITE},
    Hint{"copy_process", v1::Trigger::ACTIVITY_FORK},
    Hint{"kernel_clone", v1::Trigger::ACTIVITY_FORK},
    Hint{"bprm_execve", v1::Trigger::ACTIVITY_EXEC},
    Hint{"do_execveat_common", v1::Trigger::ACTIVITY_EXEC},
    Hint{"sock_", v1::Trigger::ACTIVITY_SOCKET},
    Hint{"sk_", v1::Trigger::ACTIVITY_SOCKET},
    Hint{"tcp_", v1::Trigger::ACTIVITY_SOCKET},
    Hint{"unix_stream_", v1::Trigger::ACTIVITY_SOCKET},
    Hint{"unix_dgram_", v1::Trigger::ACTIVITY_SOCKET},
    Hint{"handle_mm_fault", v1::Trigger::ACTIVITY_PAGE_FAULT},
    Hint{"__get_user_pages", v1::Trigger::ACTIVITY_PAGE_FAULT},
    Hint{"faultin_page", v1::Trigger::ACTIVITY_PAGE_FAULT},
};

// Inside of these is how we look, not what happened.
constexpr std::array<std::string_view, 4> kOutermostOfTracing = {
    "mark_oom_victim", "__oom_kill_process", "oom_kill_process", "out_of_memory"};

std::string_view FunctionOf(std::string_view symbol) { return symbol.substr(0, symbol.find('+')); }

// How many of the innermost frames are ours.
size_t CountTracing(std::span<const std::string> frames) {
  for (size_t i = 0; i < frames.size(); ++i) {
    const auto& own = kOutermostOfTracing;
    if (std::find(own.begin(), own.end(), FunctionOf(frames[i])) != own.end()) {
      return i;
    }
  }
  return 0;
}

void Name(std::span<const std::string> names, v1::OomEvent& oom) {
  v1::Trigger& trigger = *oom.mutable_trigger();
  for (int i = 0; i < trigger.kernel_stack_size(); ++i) {
    trigger.mutable_kernel_stack(i)->set_symbol(names[static_cast<size_t>(i)]);
  }
  trigger.mutable_kernel_stack()->DeleteSubrange(0, static_cast<int>(CountTracing(names)));
  if (trigger.activity() == v1::Trigger::ACTIVITY_UNSPECIFIED) {
    trigger.set_activity(ActivityOf(names));
  }
}

}  // namespace

bool NeedsSymbols(const v1::OomEvent& oom) {
  const auto& stack = oom.trigger().kernel_stack();
  return !stack.empty() &&
         std::all_of(stack.begin(), stack.end(),
                     [](const v1::KernelFrame& frame) { return frame.symbol().empty(); });
}

std::vector<uint64_t> FrameAddresses(const v1::OomEvent& oom) {
  std::vector<uint64_t> addresses;
  for (const v1::KernelFrame& frame : oom.trigger().kernel_stack()) {
    addresses.push_back(frame.address());
  }
  return addresses;
}

v1::Trigger::Activity ActivityOf(std::span<const std::string> frames) {
  for (const std::string& frame : frames) {
    const std::string_view function = FunctionOf(frame);
    for (const Hint& hint : kHints) {
      if (function.starts_with(hint.prefix)) {
        return hint.activity;
      }
    }
  }
  const bool named = std::any_of(frames.begin(), frames.end(),
                                 [](const std::string& frame) { return !frame.empty(); });
  return named ? v1::Trigger::ACTIVITY_KERNEL_MEMORY : v1::Trigger::ACTIVITY_UNSPECIFIED;
}

void NameKnownFrames(StackSymbols& symbols, v1::OomEvent& oom) {
  if (!NeedsSymbols(oom)) {
    return;
  }
  if (const auto names = symbols.Known(FrameAddresses(oom))) {
    Name(*names, oom);
  }
}

void NameFramesAtLast(StackSymbols& symbols, v1::OomEvent& oom) {
  if (!NeedsSymbols(oom)) {
    return;
  }
  const auto names = symbols.Known(FrameAddresses(oom));
  if (!names) {
    AddMissing(oom.mutable_quality(), "trigger.kernel_stack.symbol",
               "the kernel's symbols were not read in time");
  } else if (std::any_of(names->begin(), names->end(),
                         [](const std::string& name) { return !name.empty(); })) {
    Name(*names, oom);
  } else {
    AddMissing(oom.mutable_quality(), "trigger.kernel_stack.symbol",
               "the kernel does not show its symbols (kptr_restrict, or CAP_SYSLOG is missing)");
  }
}

}  // namespace oombox
