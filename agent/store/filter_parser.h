#pragma once

#include <memory>
#include <string_view>

#include "agent/store/filter_node.h"

namespace oombox {

// Parses the language of ListEventsRequest.filter:
//   or   = and  { "OR" and }     but AND and OR side by side need parentheses: readers disagree on
//   and  = unary { "AND" unary } which binds tighter (AIP-160 and SQL differ), so we do not choose
//   unary = "NOT" unary | "(" or ")" | field operator value
//   value = word | "text" | 'text'     with \\ \" \' inside quotes
// Null for an empty text. Errors are kInvalid and name the character, counted from 1.
Result<std::unique_ptr<Filter::Node>> ParseFilter(std::string_view text);

}  // namespace oombox
