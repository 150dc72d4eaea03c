#pragma once

#include <cstdint>
#include <string>

#include "oombox/v1/event.pb.h"
#include "oombox/v1/node.pb.h"

namespace oombox {

// Small events and reports that any store and any collector takes.

// "0000000000000012" for 12: a well-formed id, different for each number.
std::string SampleId(uint64_t number);
v1::NodeIdentity SampleNode(const std::string& name);
v1::Event SampleEvent(uint64_t number, const v1::NodeIdentity& node, uint32_t revision = 1);
v1::NodeReport SampleReport(const v1::NodeIdentity& node);

}  // namespace oombox
