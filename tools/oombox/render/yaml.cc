#include "tools/oombox/render/yaml.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

namespace oombox {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::util::TimeUtil;

void AppendMessage(const Message& message, size_t indent, std::string* out);

// One way to read a field that may be repeated.
struct Value {
  const Message& message;
  const Reflection& reflection;
  const FieldDescriptor* field;
  int index;  // -1: not repeated

  const Message& AsMessage() const {
    return index < 0 ? reflection.GetMessage(message, field)
                     : reflection.GetRepeatedMessage(message, field, index);
  }
  std::string AsScalar() const;
};

std::string Value::AsScalar() const {
  const auto pick = [&](auto single, auto repeated) {
    return index < 0 ? (reflection.*single)(message, field)
                     : (reflection.*repeated)(message, field, index);
  };
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return std::to_string(pick(&Reflection::GetInt32, &Reflection::GetRepeatedInt32));
    case FieldDescriptor::CPPTYPE_INT64:
      return std::to_string(pick(&Reflection::GetInt64, &Reflection::GetRepeatedInt64));
    case FieldDescriptor::CPPTYPE_UINT32:
      return std::to_string(pick(&Reflection::GetUInt32, &Reflection::GetRepeatedUInt32));
    case FieldDescriptor::CPPTYPE_UINT64:
      return std::to_string(pick(&Reflection::GetUInt64, &Reflection::GetRepeatedUInt64));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return fmt::format("{}", pick(&Reflection::GetDouble, &Reflection::GetRepeatedDouble));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return fmt::format("{}", pick(&Reflection::GetFloat, &Reflection::GetRepeatedFloat));
    case FieldDescriptor::CPPTYPE_BOOL:
      return pick(&Reflection::GetBool, &Reflection::GetRepeatedBool) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int number = pick(&Reflection::GetEnumValue, &Reflection::GetRepeatedEnumValue);
      const auto* name = field->enum_type()->FindValueByNumber(number);
      return name != nullptr ? name->name() : std::to_string(number);
    }
    case FieldDescriptor::CPPTYPE_STRING:
      return YamlScalar(pick(&Reflection::GetString, &Reflection::GetRepeatedString));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  return "null";
}

bool IsWellKnownTime(const FieldDescriptor* field, std::string_view name) {
  return field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
         field->message_type()->full_name() == name;
}

// The value of a field that fits on the key's line.
bool AppendInline(const Value& value, std::string* out) {
  if (IsWellKnownTime(value.field, "google.protobuf.Timestamp")) {
    google::protobuf::Timestamp time;
    time.CopyFrom(value.AsMessage());
    *out += TimeUtil::ToString(time);
    return true;
  }
  if (IsWellKnownTime(value.field, "google.protobuf.Duration")) {
    google::protobuf::Duration duration;
    duration.CopyFrom(value.AsMessage());
    *out += TimeUtil::ToString(duration);
    return true;
  }
  if (value.field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    return false;
  }
  *out += value.AsScalar();
  return true;
}

// "- " and the value; the lines of a message are indented below it.
void AppendElement(const Value& value, size_t indent, std::string* out) {
  const std::string spaces(indent, ' ');
  *out += spaces + "- ";
  if (AppendInline(value, out)) {
    *out += "\n";
    return;
  }
  std::string body;
  AppendMessage(value.AsMessage(), indent + 2, &body);
  // The first line goes behind the dash.
  *out += body.empty() ? "{}\n" : body.substr(indent + 2);
}

void AppendMap(const Message& message, const Reflection& reflection, const FieldDescriptor* field,
               size_t indent, std::string* out) {
  std::map<std::string, std::string> sorted;
  for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
    const Message& entry = reflection.GetRepeatedMessage(message, field, i);
    const Reflection& of_entry = *entry.GetReflection();
    const Value key{entry, of_entry, entry.GetDescriptor()->map_key(), -1};
    const Value value{entry, of_entry, entry.GetDescriptor()->map_value(), -1};
    sorted.emplace(key.AsScalar(), value.AsScalar());
  }
  for (const auto& [key, value] : sorted) {
    *out += fmt::format("{}{}: {}\n", std::string(indent, ' '), key, value);
  }
}

void AppendField(const Message& message, const Reflection& reflection, const FieldDescriptor* field,
                 size_t indent, std::string* out) {
  *out += std::string(indent, ' ') + field->name() + ":";
  if (field->is_map()) {
    *out += "\n";
    AppendMap(message, reflection, field, indent + 2, out);
    return;
  }
  if (field->is_repeated()) {
    *out += "\n";
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      AppendElement({message, reflection, field, i}, indent + 2, out);
    }
    return;
  }
  const Value value{message, reflection, field, -1};
  std::string text;
  if (AppendInline(value, &text)) {
    *out += " " + text + "\n";
    return;
  }
  std::string body;
  AppendMessage(value.AsMessage(), indent + 2, &body);
  *out += body.empty() ? " {}\n" : "\n" + body;
}

void AppendMessage(const Message& message, size_t indent, std::string* out) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    AppendField(message, reflection, field, indent, out);
  }
}

bool IsPlainCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_/.-").find(c) != std::string_view::npos;
}

// Plain, these mean something else to one reader or another (YAML 1.1 and 1.2).
bool IsKeyword(std::string_view text) {
  static constexpr std::array<std::string_view, 9> kKeywords = {
      "true", "false", "null", "yes", "no", "on", "off", "y", "n"};
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return std::find(kKeywords.begin(), kKeywords.end(), lower) != kKeywords.end();
}

}  // namespace

std::string ToYaml(const Message& message) {
  std::string out;
  AppendMessage(message, 0, &out);
  return out.empty() ? "{}\n" : out;
}

std::string YamlScalar(std::string_view text) {
  const bool starts_plain =
      !text.empty() &&
      (text[0] == '/' || (text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z'));
  if (starts_plain && std::all_of(text.begin(), text.end(), IsPlainCharacter) && !IsKeyword(text)) {
    return std::string(text);
  }
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace oombox
