#pragma once

#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <string_view>

#include "tools/oombox/event_source.h"

namespace oombox {

// Servers and files are not trusted to send names escaped: a raw one could move the cursor,
// recolour the screen or reverse the line. Everything passes through here once, before any renderer
// sees it.

// `text` if a terminal can show it as it is, else escaped.
std::string Printable(std::string_view text);

// Makes every string and bytes field printable, in all messages below.
void MakePrintable(google::protobuf::Message* message);

// A source whose answers and errors are printable.
std::unique_ptr<EventSource> MakePrintableSource(std::unique_ptr<EventSource> source);

}  // namespace oombox
