#include "tools/oombox/verbs/write_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "tools/oombox/render/json.h"

namespace oombox {

namespace {

std::string NameOf(const v1::Event& event) { return "event " + event.event_id(); }
std::string NameOf(const v1::NodeStatus& node) {
  return "node " + node.report().node().node_name();
}
std::string NameOf(const v1::NodeCoverage& node) { return "coverage of node " + node.node_name(); }

std::string RemedyOf(const v1::Event& event) {
  return fmt::format("oombox get {} -o yaml", event.event_id());
}
std::string RemedyOf(const v1::NodeStatus&) { return "oombox status -o yaml"; }
std::string RemedyOf(const v1::NodeCoverage&) { return "oombox status -o yaml"; }

template <typename Element>
Result<std::string> LineOrNote(const Element& element, const VerbContext& context) {
  auto line = ToJson(element, JsonLayout::kOneLine);
  if (!line.has_value()) {
    const std::string& why = line.error().message;
    fmt::print(context.notes, "oombox: {} is left out: {}; to see it:\n  {}\n", NameOf(element),
               why.substr(0, why.find('\n')), RemedyOf(element));
    std::fflush(context.notes);
  }
  return line;
}

template <typename Element>
bool WriteLine(const Element& element, const VerbContext& context) {
  const auto line = LineOrNote(element, context);
  if (line.has_value()) {
    context.out->Write(*line);
  }
  return line.has_value();
}

template <typename Element>
void LeaveOut(google::protobuf::RepeatedPtrField<Element>* elements, const VerbContext& context) {
  elements->erase(std::remove_if(elements->begin(), elements->end(),
                                 [&](const Element& element) {
                                   return !LineOrNote(element, context).has_value();
                                 }),
                  elements->end());
}

// `leave_out` is called when the message cannot be written as it is, which is rare.
template <typename List, typename LeaveOutFn>
Result<bool> WriteList(List list, LeaveOutFn leave_out, const VerbContext& context) {
  auto text = ToJson(list, JsonLayout::kIndented);
  const bool whole = text.has_value();
  if (!whole) {
    leave_out(&list);
    text = ToJson(list, JsonLayout::kIndented);
  }
  if (!text.has_value()) {
    return tl::unexpected<Error>(text.error());
  }
  context.out->Write(*text);
  return whole;
}

}  // namespace

bool WriteJsonLine(const v1::Event& event, const VerbContext& context) {
  return WriteLine(event, context);
}

bool WriteJsonLine(const v1::NodeStatus& node, const VerbContext& context) {
  return WriteLine(node, context);
}

Result<bool> WriteJsonList(v1::ListEventsResponse list, const VerbContext& context) {
  const auto leave_out = [&](v1::ListEventsResponse* of) {
    LeaveOut(of->mutable_events(), context);
    if (of->has_coverage()) {
      LeaveOut(of->mutable_coverage()->mutable_incomplete_nodes(), context);
    }
  };
  return WriteList(std::move(list), leave_out, context);
}

Result<bool> WriteJsonList(v1::ListNodesResponse list, const VerbContext& context) {
  return WriteList(
      std::move(list), [&](v1::ListNodesResponse* of) { LeaveOut(of->mutable_nodes(), context); },
      context);
}

}  // namespace oombox
