#include "tools/oombox/printable.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <utility>

#include "agent/common/text.h"

namespace oombox {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

void FixStrings(Message* message, const Reflection& reflection, const FieldDescriptor* field) {
  if (!field->is_repeated()) {
    const std::string text = reflection.GetString(*message, field);
    if (!IsPrintableUtf8(text)) {
      reflection.SetString(message, field, EscapeUntrusted(text));
    }
    return;
  }
  for (int i = 0; i < reflection.FieldSize(*message, field); ++i) {
    const std::string text = reflection.GetRepeatedString(*message, field, i);
    if (!IsPrintableUtf8(text)) {
      reflection.SetRepeatedString(message, field, i, EscapeUntrusted(text));
    }
  }
}

void FixMessages(Message* message, const Reflection& reflection, const FieldDescriptor* field) {
  if (!field->is_repeated()) {
    MakePrintable(reflection.MutableMessage(message, field));
    return;
  }
  for (int i = 0; i < reflection.FieldSize(*message, field); ++i) {
    MakePrintable(reflection.MutableRepeatedMessage(message, field, i));
  }
}

// Lines stay lines (what to try); everything else in them is made printable.
Error PrintableError(Error error) {
  std::string out;
  std::string_view rest = error.message;
  while (true) {
    const size_t end = rest.find('\n');
    out += Printable(rest.substr(0, end));
    if (end == std::string_view::npos) {
      break;
    }
    out += '\n';
    rest.remove_prefix(end + 1);
  }
  error.message = std::move(out);
  return error;
}

template <typename T>
Result<T> Checked(Result<T> result) {
  if (!result.has_value()) {
    return tl::unexpected<Error>(PrintableError(std::move(result).error()));
  }
  if constexpr (std::is_base_of_v<Message, T>) {
    MakePrintable(&*result);
  }
  return result;
}

class PrintableSource final : public EventSource {
 public:
  explicit PrintableSource(std::unique_ptr<EventSource> source) : source_(std::move(source)) {}

  std::string Describe() const override { return Printable(source_->Describe()); }

  Result<EventList> ListEvents(const ListRequest& request) override {
    ListRequest inner = request;
    if (request.each) {
      inner.each = [&request](const v1::Event& event) {
        v1::Event copy = event;
        MakePrintable(&copy);
        return request.each(copy);
      };
    }
    OOMBOX_TRY(EventList list, Checked(source_->ListEvents(inner)));
    for (v1::Event& event : list.events) {
      MakePrintable(&event);
    }
    if (list.coverage) {
      MakePrintable(&*list.coverage);
    }
    return list;
  }
  Result<v1::Event> GetEvent(std::string_view reference) override {
    return Checked(source_->GetEvent(reference));
  }
  Result<v1::ExplainEventResponse> Explain(std::string_view reference) override {
    return Checked(source_->Explain(reference));
  }
  Status Watch(const WatchRequest& request, const WatchSink& sink, std::stop_token stop) override {
    WatchSink printable{sink.on_open, [&](const v1::WatchEventsResponse& response) {
                          v1::WatchEventsResponse copy = response;
                          // The token is opaque and goes back to the server as it came.
                          MakePrintable(copy.mutable_event());
                          if (!response.has_event()) {
                            copy.clear_event();
                          }
                          return sink.on_response(copy);
                        }};
    return Checked(source_->Watch(request, printable, std::move(stop)));
  }
  Result<std::vector<v1::NodeStatus>> Nodes() override {
    OOMBOX_TRY(std::vector<v1::NodeStatus> nodes, Checked(source_->Nodes()));
    for (v1::NodeStatus& node : nodes) {
      MakePrintable(&node);
    }
    return nodes;
  }
  Result<v1::GetVersionResponse> Version() override { return Checked(source_->Version()); }

 private:
  const std::unique_ptr<EventSource> source_;
};

}  // namespace

std::string Printable(std::string_view text) {
  return IsPrintableUtf8(text) ? std::string(text) : EscapeUntrusted(text);
}

void MakePrintable(Message* message) {
  const Reflection& reflection = *message->GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(*message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      FixStrings(message, reflection, field);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      FixMessages(message, reflection, field);
    }
  }
}

std::unique_ptr<EventSource> MakePrintableSource(std::unique_ptr<EventSource> source) {
  return std::make_unique<PrintableSource>(std::move(source));
}

}  // namespace oombox
