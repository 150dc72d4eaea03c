#include "agent/pressure/curve_file.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "agent/common/clock.h"
#include "agent/pressure/curve_points.h"

namespace oombox {

namespace {

constexpr double kNearShare = 0.7;  // takes another's place
constexpr double kFarShare = 0.5;   // gives it up

std::string_view TextOf(const auto& array) {
  return {array.data(), strnlen(array.data(), array.size())};
}

void SetText(auto& array, std::string_view text) {
  const size_t length = std::min(text.size(), array.size() - 1);
  std::memcpy(array.data(), text.data(), length);
  array[length] = '\0';
}

PressureState StateOf(uint8_t state) {
  return state <= static_cast<uint8_t>(PressureState::kCritical) ? static_cast<PressureState>(state)
                                                                 : PressureState::kUnknown;
}

PressureCause CauseOf(uint8_t cause) {
  return cause <= static_cast<uint8_t>(PressureCause::kLimitChanged)
             ? static_cast<PressureCause>(cause)
             : PressureCause::kNone;
}

CurveFile::Resumed ResumedFrom(const CurveSlot& slot, uint64_t now_ns) {
  const uint64_t since = std::min(slot.state_since_ns, now_ns);
  return {.cgroup = {slot.cgroup_id, std::string(TextOf(slot.path))},
          .state = StateOf(slot.state),
          .state_since_ns = since,
          .previous = StateOf(slot.previous),
          .previous_since_ns = std::min(slot.previous_since_ns, since),
          .cause = CauseOf(slot.cause),
          .some_avg60 = DecodeShare(slot.some_avg60),
          .full_avg60 = DecodeShare(slot.full_avg60)};
}

}  // namespace

CurveFile::CurveFile(const Options& options, UniqueFd fd, std::byte* base, size_t bytes)
    : options_(options), fd_(std::move(fd)), base_(base), bytes_(bytes) {}

CurveFile::~CurveFile() { ::munmap(base_, bytes_); }

CurveSlot& CurveFile::slot(size_t index) const {
  return *reinterpret_cast<CurveSlot*>(base_ + kCurveHeaderBytes + index * kCurveSlotBytes);
}

Result<std::unique_ptr<CurveFile>> CurveFile::Open(const Options& options, uint64_t now_ns) {
  const size_t slots =
      (std::max(options.max_bytes, kCurveHeaderBytes + kCurveSlotBytes) - kCurveHeaderBytes) /
      kCurveSlotBytes;
  const size_t bytes = kCurveHeaderBytes + slots * kCurveSlotBytes;
  UniqueFd fd;
  if (!options.path.empty()) {
    fd = UniqueFd(::open(options.path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd.valid()) {
      return MakeSystemError(ErrorCode::kPermission, errno,
                             fmt::format("cannot open {}", options.path));
    }
  }
  void* base = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      fd.valid() ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, fd.get(), 0);
  if (base == MAP_FAILED) {
    return MakeSystemError(ErrorCode::kUnavailable, errno,
                           fmt::format("cannot map {}", options.path));
  }
  std::unique_ptr<CurveFile> file(
      new CurveFile(options, std::move(fd), static_cast<std::byte*>(base), bytes));
  OOMBOX_RETURN_IF_ERROR(file->Begin(now_ns));
  return file;
}

// A page of the mapping that has no room on the disk would kill the agent (SIGBUS): it is had
// before it is touched.
Status CurveFile::Reserve(size_t bytes) {
  if (!fd_.valid()) {
    return {};
  }
  struct stat status {};
  if (::fstat(fd_.get(), &status) == 0 && static_cast<size_t>(status.st_size) >= bytes) {
    return {};
  }
  const int error = ::posix_fallocate(fd_.get(), 0, static_cast<off_t>(bytes));
  return error == 0 ? Status{}
                    : MakeSystemError(ErrorCode::kExhausted, error,
                                      fmt::format("no room for {}", options_.path));
}

Status CurveFile::Begin(uint64_t now_ns) {
  if (TakeOver(now_ns)) {
    return {};
  }
  // From nothing: what is there is of another boot, of another version, or damaged.
  if (fd_.valid() && ::ftruncate(fd_.get(), 0) != 0) {
    return MakeSystemError(ErrorCode::kPermission, errno,
                           fmt::format("cannot begin {} anew", options_.path));
  }
  OOMBOX_RETURN_IF_ERROR(Reserve(kCurveHeaderBytes));
  header() = CurveHeader{};
  header().version = kCurveVersion;
  SetText(header().boot_id, options_.boot_id);
  header().magic = kCurveMagic;
  return {};
}

bool CurveFile::TakeOver(uint64_t now_ns) {
  struct stat status {};
  if (!fd_.valid() || ::fstat(fd_.get(), &status) != 0 || status.st_size == 0) {
    return false;
  }
  const auto size = static_cast<size_t>(status.st_size);
  const bool readable = size >= kCurveHeaderBytes && header().magic == kCurveMagic;
  damaged_ = !readable || (header().version == kCurveVersion &&
                           kCurveHeaderBytes + header().slots * kCurveSlotBytes > size);
  if (damaged_) {
    spdlog::warn("{} was damaged: the memory before now is not known", options_.path);
    return false;
  }
  if (header().version != kCurveVersion || TextOf(header().boot_id) != options_.boot_id ||
      header().last_reading_ns > now_ns) {
    return false;
  }
  const size_t room = (bytes_ - kCurveHeaderBytes) / kCurveSlotBytes;
  header().slots = static_cast<uint32_t>(std::min<size_t>(header().slots, room));
  for (size_t i = 0; i < header().slots; ++i) {
    CurveSlot& at = slot(i);
    shares_.push_back(0);
    if (at.base_ns == 0 || at.base_ns > now_ns || !places_.emplace(at.cgroup_id, i).second) {
      at.base_ns = 0;
    } else if (at.gone_ns == 0) {
      resumed_.push_back(ResumedFrom(at, now_ns));
    }
  }
  if (header().last_reading_ns != 0) {
    header().absences[header().absences_written++ % kMaxAbsences] = {header().last_reading_ns,
                                                                     now_ns};
  }
  return true;
}

void CurveFile::Clear(size_t index) {
  places_.erase(slot(index).cgroup_id);
  slot(index).base_ns = 0;
}

std::optional<size_t> CurveFile::Grow() {
  const size_t next = header().slots;
  const size_t bytes = kCurveHeaderBytes + (next + 1) * kCurveSlotBytes;
  if (bytes > bytes_ || !Reserve(bytes)) {
    return std::nullopt;
  }
  std::memset(static_cast<void*>(&slot(next)), 0, kCurveSlotBytes);
  header().slots = static_cast<uint32_t>(next + 1);
  shares_.push_back(0);
  return next;
}

// A free slot, a new one, the one that is gone for the longest, or of one that is far from its
// limit.
std::optional<size_t> CurveFile::PlaceFor(const WatchedCgroup& cgroup, double share) {
  if (const auto found = places_.find(cgroup.id); found != places_.end()) {
    // A number that is used again is another cgroup.
    if (TextOf(slot(found->second).path) == cgroup.path.substr(0, slot(0).path.size() - 1)) {
      return found->second;
    }
    Clear(found->second);
  }
  std::optional<size_t> place;
  for (size_t i = 0; !place && i < header().slots; ++i) {
    place = slot(i).base_ns == 0 ? std::optional(i) : std::nullopt;
  }
  place = place ? place : Grow();
  for (size_t i = 0; !place && i < header().slots; ++i) {
    place = slot(i).gone_ns != 0 ? std::optional(i) : std::nullopt;
  }
  for (size_t i = 0; place && i < header().slots && slot(*place).gone_ns != 0; ++i) {
    place = slot(i).gone_ns != 0 && slot(i).gone_ns < slot(*place).gone_ns ? i : *place;
  }
  if (!place && share >= kNearShare) {
    const auto least = std::min_element(shares_.begin(), shares_.end());
    if (least != shares_.end() && *least < kFarShare) {
      place = static_cast<size_t>(least - shares_.begin());
    }
  }
  if (place) {
    if (slot(*place).base_ns != 0) {
      Clear(*place);
    }
    std::memset(static_cast<void*>(&slot(*place)), 0, kCurveSlotBytes);
    places_[cgroup.id] = *place;
  }
  return place;
}

bool CurveFile::Add(const WatchedCgroup& cgroup, const MemorySample& sample, double share) {
  const std::lock_guard lock(mutex_);
  const auto place = PlaceFor(cgroup, share);
  if (!place) {
    return false;
  }
  CurveSlot& at = slot(*place);
  if (at.base_ns == 0) {
    at.cgroup_id = cgroup.id;
    SetText(at.path, cgroup.path);
    at.base_ns = sample.boottime_ns;
  }
  at.gone_ns = 0;
  shares_[*place] = cgroup.is_node() ? 1 : share;
  AddToRings(at, sample);
  header().last_reading_ns = std::max(header().last_reading_ns, sample.boottime_ns);
  return true;
}

void CurveFile::NoteState(const PressureChange& change) {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(change.now.cgroup.id);
  if (found == places_.end()) {
    return;
  }
  CurveSlot& at = slot(found->second);
  const std::atomic_ref state(at.state);
  state.store(0);
  at.state_since_ns = change.boottime_ns;
  at.previous_since_ns = change.previous_since_ns;
  at.previous = static_cast<uint8_t>(change.previous);
  at.cause = static_cast<uint8_t>(change.cause);
  at.some_avg60 = EncodeShare(change.now.sample.some_avg60);
  at.full_avg60 = EncodeShare(change.now.sample.full_avg60);
  state.store(static_cast<uint8_t>(change.now.state));
}

void CurveFile::NoteGone(uint64_t cgroup_id, uint64_t now_ns) {
  const std::lock_guard lock(mutex_);
  if (const auto found = places_.find(cgroup_id); found != places_.end()) {
    slot(found->second).gone_ns = now_ns;
    shares_[found->second] = 0;
  }
}

size_t CurveFile::curves() const {
  const std::lock_guard lock(mutex_);
  return places_.size();
}

void CurveFile::AddGaps(MemoryHistory& history, uint64_t until_ns) const {
  const auto away = [&](uint64_t begin, uint64_t end) {
    return std::any_of(
        header().absences.begin(), header().absences.end(), [&](const CurveAbsence& absence) {
          return absence.end_ns != 0 && absence.begin_ns <= end && absence.end_ns >= begin;
        });
  };
  const auto add = [&](uint64_t begin, uint64_t end) {
    if (end > begin + kCurveGapNs) {
      history.gaps.push_back(
          {begin, end, away(begin, end) ? "the agent did not run" : "the agent read nothing"});
    }
  };
  for (size_t i = 1; i < history.points.size(); ++i) {
    add(history.points[i - 1].boottime_ns, history.points[i].boottime_ns);
  }
  if (!history.points.empty()) {
    add(history.points.back().boottime_ns, until_ns);
  }
}

std::optional<MemoryHistory> CurveFile::Before(uint64_t cgroup_id, uint64_t boottime_ns) const {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(cgroup_id);
  if (found == places_.end()) {
    return std::nullopt;
  }
  const CurveSlot& at = slot(found->second);
  MemoryHistory history{.cgroup = {at.cgroup_id, std::string(TextOf(at.path))},
                        .points = PointsBefore(at, boottime_ns)};
  if (history.points.empty()) {
    return std::nullopt;
  }
  AddGaps(history, boottime_ns);
  return history;
}

Result<std::unique_ptr<CurveFile>> OpenOrInMemory(const CurveFile::Options& options,
                                                  std::string& why_not) {
  const uint64_t now = BootNowNs();
  auto curves = CurveFile::Open(options, now);
  if (curves) {
    return curves;
  }
  why_not = curves.error().message;
  spdlog::warn("the memory before a kill is forgotten when the agent stops: {}", why_not);
  CurveFile::Options in_memory = options;
  in_memory.path.clear();
  return CurveFile::Open(in_memory, now);
}

}  // namespace oombox
