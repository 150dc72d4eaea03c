#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "agent/model/memory_sample.h"

namespace oombox {

// The bytes of the file of curves: a header, then slots of 16 KiB, one for each cgroup. Of this
// machine and boot only, so in its own byte order. A slot has three rings of readings: the finest
// as they came, one in 1.2 s, one in 36 s. Every count may be anything: readers take it modulo the
// ring's length, and believe only times that make sense.

inline constexpr std::array<char, 8> kCurveMagic = {'o', 'o', 'm', 'c', 'u', 'r', 'v', 'e'};
inline constexpr uint32_t kCurveVersion = 3;
inline constexpr size_t kCurveHeaderBytes = 4096;
inline constexpr size_t kCurveSlotBytes = 16384;
inline constexpr uint32_t kMaxAbsences = 16;

// In 4 KiB; kCurveAbsent: not known.
inline constexpr uint32_t kCurveAbsent = 0xffffffff;
inline constexpr uint16_t kCurveAbsentShare = 0xffff;
inline constexpr uint64_t kCurveTickNs = 10'000'000;

struct CurveReading {
  uint32_t ticks;  // of 10 ms since the slot's base: 497 days
  uint32_t usage;
  uint32_t usage_max;
  uint32_t working_set;
  uint32_t anon;
  uint32_t file;
  uint32_t shmem;
  uint32_t kernel;
  uint32_t slab_reclaimable;
  uint32_t sock;
  uint32_t limit;  // kCurveAbsent: none
  uint32_t tasks;
  uint16_t some_avg10;  // in 1/100 %
  uint16_t full_avg10;
};
static_assert(sizeof(CurveReading) == 52);

struct CurveRing {
  static constexpr size_t kLength = 100;
  uint32_t written;  // ever; the last kLength are there
  std::array<CurveReading, kLength> readings;
};

struct CurveSlot {
  uint64_t cgroup_id;
  uint64_t base_ns;         // boottime; 0: the slot is free
  uint64_t gone_ns;         // the cgroup was removed; 0: it is there
  uint64_t state_since_ns;  // of `state`
  uint64_t previous_since_ns;
  uint8_t state;     // PressureState; 0 while what belongs to it is written
  uint8_t previous;  // the state before it
  uint8_t cause;     // PressureCause
  uint8_t pad;
  uint16_t some_avg60;  // as it was entered, in 1/100 %
  uint16_t full_avg60;
  std::array<char, 724> path;  // cut, with its NUL
  CurveRing fine;
  CurveRing medium;
  CurveRing coarse;
};
static_assert(sizeof(CurveSlot) == kCurveSlotBytes);

// The agent was away.
struct CurveAbsence {
  uint64_t begin_ns;  // boottime of the last reading before
  uint64_t end_ns;
};

struct CurveHeader {
  std::array<char, 8> magic;
  uint32_t version;
  uint32_t slots;  // that the file has
  std::array<char, 64> boot_id;
  uint64_t last_reading_ns;
  uint32_t absences_written;  // ever
  uint32_t pad;
  std::array<CurveAbsence, kMaxAbsences> absences;
};
static_assert(sizeof(CurveHeader) <= kCurveHeaderBytes);

// In 1/100 %.
uint16_t EncodeShare(const std::optional<double>& percent);
std::optional<double> DecodeShare(uint16_t hundredths);

CurveReading EncodeReading(const MemorySample& sample, uint64_t base_ns);
MemorySample DecodeReading(const CurveReading& reading, uint64_t base_ns);

}  // namespace oombox
