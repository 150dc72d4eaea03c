#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/common/result.h"
#include "oombox/v1/event.pb.h"
#include "tools/oombox/event_source.h"

namespace oombox {

// How events are named on the command line.

// "latest", 4 to 16 characters of an id, or the newest kill of "NAMESPACE/POD", "KIND/NAME" (of an
// owner, kubectl's short names too) or "NAMESPACE/KIND/NAME". Nonsense is kInvalid before a server
// is asked.
Status CheckReference(std::string_view reference);

// What GetEvent and Explain take: an id for the references with a '/'; kNotFound when there is no
// such kill.
Result<std::string> ResolveReference(const std::string& reference, EventSource* source);

// The shortest prefix, at least 6 characters, that names each event alone among `events`.
std::vector<std::string> ShortIds(const std::vector<const v1::Event*>& events);
std::string ShortId(const v1::Event& event);

// Gives an error of GetEvent or Explain what to do about it: the candidates of an ambiguous prefix,
// how to find ids otherwise.
Error ExplainReferenceError(Error error, std::string_view reference, EventSource* source,
                            int64_t now_ns);

}  // namespace oombox
