#pragma once

#include "oombox/v1/event.pb.h"

namespace oombox {

// The part of an event that a list line needs (EVENT_VIEW_BASIC). Pure.
v1::Event BasicView(v1::Event event);

}  // namespace oombox
