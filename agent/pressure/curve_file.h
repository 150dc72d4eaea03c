#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "agent/common/result.h"
#include "agent/common/unique_fd.h"
#include "agent/model/pressure.h"
#include "agent/pressure/curve_layout.h"

namespace oombox {

// The memory of the node's cgroups over the last hour, in one bounded file that is mapped: an agent
// that is killed loses no reading, its successor goes on. What another boot or a damaged header
// left is begun anew. Grows by a slot as cgroups come; a cgroup that is gone keeps its slot until
// somebody needs it. Thread-safe.
class CurveFile {
 public:
  struct Options {
    std::string path;  // empty: kept in memory, for as long as the agent runs
    size_t max_bytes = size_t{4} << 20;
    std::string boot_id;
  };
  struct Resumed {
    WatchedCgroup cgroup;
    PressureState state = PressureState::kUnknown;
    uint64_t state_since_ns = 0;
    PressureState previous = PressureState::kUnknown;
    uint64_t previous_since_ns = 0;
    PressureCause cause = PressureCause::kNone;
    std::optional<double> some_avg60 = {};  // when it was entered
    std::optional<double> full_avg60 = {};
  };

  // Fails where the file cannot be had: then Options without a path works.
  static Result<std::unique_ptr<CurveFile>> Open(const Options& options, uint64_t now_ns);
  ~CurveFile();
  CurveFile(const CurveFile&) = delete;
  CurveFile& operator=(const CurveFile&) = delete;

  // Adds a reading; false when there is no room for another cgroup. Who is at `share` of its limit
  // takes the place of one that is far from its own.
  bool Add(const WatchedCgroup& cgroup, const MemorySample& sample, double share);
  void NoteState(const PressureChange& change);
  void NoteGone(uint64_t cgroup_id, uint64_t now_ns);

  // Readings up to that moment, each once, oldest first, and where there are none.
  std::optional<MemoryHistory> Before(uint64_t cgroup_id, uint64_t boottime_ns) const;
  // What an earlier run knew of the cgroups that were there.
  std::vector<Resumed> resumed() const { return resumed_; }

  size_t curves() const;
  bool damaged() const { return damaged_; }  // it was, and has been begun anew
  bool persistent() const { return fd_.valid(); }

 private:
  CurveFile(const Options& options, UniqueFd fd, std::byte* base, size_t bytes);

  Status Begin(uint64_t now_ns);
  bool TakeOver(uint64_t now_ns);
  CurveHeader& header() { return *reinterpret_cast<CurveHeader*>(base_); }
  const CurveHeader& header() const { return *reinterpret_cast<const CurveHeader*>(base_); }
  CurveSlot& slot(size_t index) const;
  Status Reserve(size_t bytes);
  std::optional<size_t> PlaceFor(const WatchedCgroup& cgroup, double share);
  std::optional<size_t> Grow();
  void Clear(size_t index);
  void AddGaps(MemoryHistory& history, uint64_t until_ns) const;

  const Options options_;
  UniqueFd fd_;
  std::byte* const base_;
  const size_t bytes_;  // mapped; the file grows into it
  bool damaged_ = false;
  std::vector<Resumed> resumed_;
  mutable std::mutex mutex_;
  std::map<uint64_t, size_t> places_;  // slot of a cgroup; the node's id is 0
  std::vector<double> shares_;         // by slot, of the last reading
};

// As Open; where the file cannot be had, in memory, and `why_not` says why.
Result<std::unique_ptr<CurveFile>> OpenOrInMemory(const CurveFile::Options& options,
                                                  std::string& why_not);

}  // namespace oombox
