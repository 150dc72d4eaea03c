#pragma once

#include <span>

#include "oombox/v1/query.pb.h"

namespace oombox {

// What a server would answer to ExplainEvent if it knew `event` and, as history, `all`.
v1::ExplainEventResponse ExplainSaved(const v1::Event& event, std::span<const v1::Event> all);

}  // namespace oombox
