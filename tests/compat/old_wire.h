#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace oombox {

// The folder of version `name` below tests/compat.
std::string CompatFile(const std::string& version, const std::string& file);
std::string ReadFile(const std::string& path);

// The messages of an earlier version, built from its descriptors: what a program of that version
// would make of some bytes, and what it would send.
class OldWire {
 public:
  explicit OldWire(const std::string& version);

  const google::protobuf::DescriptorPool& pool() const { return pool_; }

  // `type` is the name within oombox.v1: "Hello".
  std::unique_ptr<google::protobuf::Message> New(const std::string& type);
  // Of protobuf's text format; aborts the test's process when the old version has no such field.
  std::unique_ptr<google::protobuf::Message> FromText(const std::string& type,
                                                      const std::string& text);
  std::unique_ptr<google::protobuf::Message> FromJson(const std::string& type,
                                                      const std::string& json);
  // Null when the old version cannot read the bytes.
  std::unique_ptr<google::protobuf::Message> Parse(const std::string& type,
                                                   const std::string& bytes);

  // Today's message, as the old version reads it, in protobuf's text format on one line.
  std::string Reads(const google::protobuf::Message& today);
  // What the old version sends, as today's program reads it.
  template <typename Today>
  static Today Sends(const google::protobuf::Message& old) {
    Today today;
    if (!today.ParseFromString(old.SerializeAsString())) {
      today.Clear();
    }
    return today;
  }

 private:
  google::protobuf::DescriptorPool pool_;
  google::protobuf::DynamicMessageFactory factory_{&pool_};
};

// A message with a value in every field, down to a few levels.
void FillEveryField(google::protobuf::Message* message, int levels = 5);

// Every way in which the messages, enums and services of `now` break programs of `before`.
std::vector<std::string> WireBreaches(const google::protobuf::DescriptorPool& before,
                                      const google::protobuf::DescriptorPool& now);

}  // namespace oombox
