#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace oombox {

// Numbers for people. Nothing here invents a value: an absent one is the caller's to name.

// "200 MiB", "1.7 GiB", "512 B": three digits at most, binary units.
std::string FormatBytes(uint64_t bytes);
// Kubernetes' way of writing it: "2Gi", "1742Mi", "512". Rounded to whole MiB above 1 MiB.
std::string CompactBytes(uint64_t bytes);
// FormatBytes, or "unknown".
std::string BytesOrUnknown(const std::optional<uint64_t>& bytes);

// "1 event", "2 events".
std::string FormatCount(uint64_t count, std::string_view noun);

// The largest unit alone, rounded down: "12s", "6m", "3h", "12d". Negative (clocks differ): "0s".
std::string FormatAge(int64_t nanoseconds);
// The same in words: "6 min", "3 h", "12 d".
std::string FormatAgeLong(int64_t nanoseconds);

// Both saturate instead of overflowing.
int64_t ToNs(const google::protobuf::Timestamp& time);
int64_t ToNs(const google::protobuf::Duration& duration);

// UTC: "2026-11-23 03:12:41.318Z" and "03:12:41.318".
std::string FormatDateTime(int64_t wall_ns);
std::string FormatClock(int64_t wall_ns);

}  // namespace oombox
