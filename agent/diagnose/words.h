#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "oombox/v1/event.pb.h"
#include "oombox/v1/query.pb.h"

namespace oombox {

// "200 MiB", "1.5 GiB", "12 KiB".
std::string ByteWords(uint64_t bytes);

// "182 of 196 MiB (93 %)": both in the unit of the whole.
std::string ShareWords(uint64_t part, uint64_t whole);

// "python3[31]"; "process 31" when the name is empty.
std::string ProcessWords(const std::string& comm, uint32_t namespace_pid, uint32_t tgid);

// Where a fact comes from: "at kill", "inferred", ...
std::string SourceWords(v1::Provenance provenance);

// What a process has resident; nothing when no part of it is known.
std::optional<uint64_t> ResidentBytes(const v1::ProcessMemory& memory);

void AddEvidence(v1::Evidence::Weight weight, std::string statement, std::string source,
                 v1::Diagnosis* diagnosis);

}  // namespace oombox
