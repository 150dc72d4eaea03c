#include "tests/compat/old_wire.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace oombox {

namespace {

namespace pb = google::protobuf;

constexpr const char* kPackage = "oombox.v1";

std::unique_ptr<pb::Message> OrNull(bool good, std::unique_ptr<pb::Message> message) {
  return good ? std::move(message) : nullptr;
}

void FillField(pb::Message* message, const pb::FieldDescriptor* field, int levels) {
  const pb::Reflection& reflection = *message->GetReflection();
  const bool repeated = field->is_repeated();
  switch (field->cpp_type()) {
    case pb::FieldDescriptor::CPPTYPE_MESSAGE:
      if (levels > 0) {
        FillEveryField(repeated ? reflection.AddMessage(message, field)
                                : reflection.MutableMessage(message, field),
                       levels - 1);
      }
      break;
    case pb::FieldDescriptor::CPPTYPE_STRING:
      repeated ? reflection.AddString(message, field, field->name())
               : reflection.SetString(message, field, field->name());
      break;
    case pb::FieldDescriptor::CPPTYPE_ENUM: {
      const auto* last = field->enum_type()->value(field->enum_type()->value_count() - 1);
      repeated ? reflection.AddEnum(message, field, last)
               : reflection.SetEnum(message, field, last);
      break;
    }
    case pb::FieldDescriptor::CPPTYPE_UINT64:
      repeated ? reflection.AddUInt64(message, field, 1ULL << 40)
               : reflection.SetUInt64(message, field, 1ULL << 40);
      break;
    case pb::FieldDescriptor::CPPTYPE_INT64:
      reflection.SetInt64(message, field, -5'000'000'000);
      break;
    case pb::FieldDescriptor::CPPTYPE_UINT32:
      reflection.SetUInt32(message, field, 3'000'000'000U);
      break;
    case pb::FieldDescriptor::CPPTYPE_INT32:
      reflection.SetInt32(message, field, -7);
      break;
    case pb::FieldDescriptor::CPPTYPE_DOUBLE:
      reflection.SetDouble(message, field, 0.5);
      break;
    case pb::FieldDescriptor::CPPTYPE_BOOL:
      reflection.SetBool(message, field, true);
      break;
    default:
      ADD_FAILURE() << field->full_name() << " has a type this test does not know";
  }
}

class Comparison {
 public:
  Comparison(const pb::DescriptorPool& now, std::vector<std::string>* breaches)
      : now_(now), breaches_(*breaches) {}

  void File(const pb::FileDescriptor& before) {
    for (int i = 0; i < before.message_type_count(); ++i) {
      Type(*before.message_type(i));
    }
    for (int i = 0; i < before.enum_type_count(); ++i) {
      Enum(*before.enum_type(i));
    }
    for (int i = 0; i < before.service_count(); ++i) {
      Service(*before.service(i));
    }
  }

 private:
  template <typename... Args>
  void Breach(fmt::format_string<Args...> format, Args&&... args) {
    breaches_.push_back(fmt::format(format, std::forward<Args>(args)...));
  }

  void Type(const pb::Descriptor& before) {
    const pb::Descriptor* now = now_.FindMessageTypeByName(before.full_name());
    if (now == nullptr) {
      return Breach("{}: removed", before.full_name());
    }
    for (int i = 0; i < before.field_count(); ++i) {
      Field(*before.field(i), *now);
    }
    for (int i = 0; i < before.nested_type_count(); ++i) {
      Type(*before.nested_type(i));
    }
    for (int i = 0; i < before.enum_type_count(); ++i) {
      Enum(*before.enum_type(i));
    }
  }

  void Field(const pb::FieldDescriptor& before, const pb::Descriptor& type) {
    const pb::FieldDescriptor* now = type.FindFieldByNumber(before.number());
    if (now == nullptr) {
      if (!type.IsReservedNumber(before.number()) || !type.IsReservedName(before.name())) {
        Breach("{}: removed, its number and name not reserved", before.full_name());
      }
      return;
    }
    if (now->name() != before.name()) {
      Breach("{}: number {} is now {}", before.full_name(), before.number(), now->name());
    }
    const auto type_name = [](const pb::FieldDescriptor& field) -> std::string {
      return field.message_type() != nullptr ? field.message_type()->full_name()
             : field.enum_type() != nullptr  ? field.enum_type()->full_name()
                                             : field.type_name();
    };
    const auto oneof_name = [](const pb::FieldDescriptor& field) -> std::string {
      return field.containing_oneof() != nullptr ? field.containing_oneof()->name() : "";
    };
    if (now->type() != before.type() || type_name(*now) != type_name(before) ||
        now->label() != before.label() || now->has_presence() != before.has_presence() ||
        oneof_name(*now) != oneof_name(before)) {
      Breach("{}: another type", before.full_name());
    }
  }

  void Enum(const pb::EnumDescriptor& before) {
    const pb::EnumDescriptor* now = now_.FindEnumTypeByName(before.full_name());
    for (int i = 0; i < before.value_count(); ++i) {
      const auto* value =
          now != nullptr ? now->FindValueByNumber(before.value(i)->number()) : nullptr;
      if (value == nullptr || value->name() != before.value(i)->name()) {
        Breach("{}: {} = {} is gone or has another name", before.full_name(),
               before.value(i)->name(), before.value(i)->number());
      }
    }
  }

  void Service(const pb::ServiceDescriptor& before) {
    const pb::ServiceDescriptor* service = now_.FindServiceByName(before.full_name());
    for (int i = 0; i < before.method_count(); ++i) {
      const pb::MethodDescriptor& old = *before.method(i);
      const auto* now = service != nullptr ? service->FindMethodByName(old.name()) : nullptr;
      if (now == nullptr || now->input_type()->full_name() != old.input_type()->full_name() ||
          now->output_type()->full_name() != old.output_type()->full_name() ||
          now->client_streaming() != old.client_streaming() ||
          now->server_streaming() != old.server_streaming()) {
        Breach("{}: gone, or called in another way", old.full_name());
      }
    }
  }

  const pb::DescriptorPool& now_;
  std::vector<std::string>& breaches_;
};

}  // namespace

std::string CompatFile(const std::string& version, const std::string& file) {
  return std::string(OOMBOX_COMPAT) + "/" + version + "/" + file;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

OldWire::OldWire(const std::string& version) {
  pb::FileDescriptorSet files;
  EXPECT_TRUE(files.ParseFromString(ReadFile(CompatFile(version, "oombox.desc"))));
  for (const pb::FileDescriptorProto& file : files.file()) {
    EXPECT_NE(pool_.BuildFile(file), nullptr) << file.name();
  }
}

std::unique_ptr<pb::Message> OldWire::New(const std::string& type) {
  const auto* descriptor = pool_.FindMessageTypeByName(std::string(kPackage) + "." + type);
  EXPECT_NE(descriptor, nullptr) << type;
  return std::unique_ptr<pb::Message>(factory_.GetPrototype(descriptor)->New());
}

std::unique_ptr<pb::Message> OldWire::FromText(const std::string& type, const std::string& text) {
  auto message = New(type);
  EXPECT_TRUE(pb::TextFormat::ParseFromString(text, message.get())) << text;
  return message;
}

std::unique_ptr<pb::Message> OldWire::FromJson(const std::string& type, const std::string& json) {
  auto message = New(type);
  const auto status = pb::util::JsonStringToMessage(json, message.get());
  EXPECT_TRUE(status.ok()) << status.ToString();
  return message;
}

std::unique_ptr<pb::Message> OldWire::Parse(const std::string& type, const std::string& bytes) {
  auto message = New(type);
  const bool good = message->ParseFromString(bytes);
  return OrNull(good, std::move(message));
}

std::string OldWire::Reads(const pb::Message& today) {
  const auto old = Parse(today.GetDescriptor()->name(), today.SerializeAsString());
  return old == nullptr ? "does not parse" : old->ShortDebugString();
}

void FillEveryField(pb::Message* message, int levels) {
  const pb::Descriptor* type = message->GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    FillField(message, type->field(i), levels);
  }
}

std::vector<std::string> WireBreaches(const pb::DescriptorPool& before,
                                      const pb::DescriptorPool& now) {
  std::vector<std::string> breaches;
  for (const char* name : {"event", "node", "ingest", "query"}) {
    const auto* file = before.FindFileByName(fmt::format("oombox/v1/{}.proto", name));
    if (file == nullptr) {
      breaches.push_back(fmt::format("{}.proto is not among the old files", name));
      continue;
    }
    Comparison(now, &breaches).File(*file);
  }
  return breaches;
}

}  // namespace oombox
