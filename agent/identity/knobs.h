#pragma once

#include <string>
#include <vector>

#include "agent/model/runtime_container.h"

namespace oombox {

// The settings among a program's arguments and environment ("NAME=value") that decide how much
// memory it takes: workers, concurrency, batch and pool sizes, heap limits of Java, Node and Go,
// malloc's arenas. Chosen by name, and only when the value is a number (with a unit: bytes), so
// that nothing else, and no secret, gets out of here. At most 32. Pure; any bytes.
std::vector<Knob> KnobsOf(const std::vector<std::string>& arguments,
                          const std::vector<std::string>& environment);

}  // namespace oombox
