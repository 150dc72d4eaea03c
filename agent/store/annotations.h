#pragma once

#include <string>
#include <utility>
#include <vector>

#include "agent/common/result.h"
#include "oombox/v1/event.pb.h"

namespace oombox {

using AnnotationList = std::vector<std::pair<std::string, std::string>>;

// Keys are [a-z0-9_.-]{1,63}, values printable UTF-8 of at most 1024 bytes. kInvalid names the key.
Status CheckAnnotations(const AnnotationList& set);

// Sets each pair; an empty value removes the key. Does nothing to events without annotations
// (gaps).
void ApplyAnnotations(const AnnotationList& set, v1::Event* event);

}  // namespace oombox
