#pragma once

#include "oombox/v1/query.pb.h"
#include "tools/oombox/verbs/verbs.h"

namespace oombox {

// JSON of many. An element that protobuf cannot write (a time out of range) is left out, and the
// notes say which and how to see it: it must not take the others with it.

// On a line. False: left out.
bool WriteJsonLine(const v1::Event& event, const VerbContext& context);
bool WriteJsonLine(const v1::NodeStatus& node, const VerbContext& context);

// As one message. False: something in it was left out.
Result<bool> WriteJsonList(v1::ListEventsResponse list, const VerbContext& context);
Result<bool> WriteJsonList(v1::ListNodesResponse list, const VerbContext& context);

}  // namespace oombox
