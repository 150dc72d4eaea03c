// Today's messages against those of earlier versions: nothing that an old program reads or sends
// has got another meaning.
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include "oombox/v1/ingest.pb.h"
#include "oombox/v1/query.pb.h"
#include "tests/compat/old_wire.h"

namespace oombox {
namespace {

namespace pb = google::protobuf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class WireTest : public testing::TestWithParam<const char*> {
 protected:
  // What programs say to each other; everything else is inside.
  static std::vector<const pb::Message*> Spoken() {
    return {&v1::IngestRequest::default_instance(),
            &v1::IngestResponse::default_instance(),
            &v1::ListEventsRequest::default_instance(),
            &v1::GetEventRequest::default_instance(),
            &v1::WatchEventsRequest::default_instance(),
            &v1::AnnotateEventRequest::default_instance(),
            &v1::ExplainEventRequest::default_instance(),
            &v1::ListNodesRequest::default_instance(),
            &v1::GetNodeReportRequest::default_instance(),
            &v1::GetVersionRequest::default_instance(),
            &v1::ListEventsResponse::default_instance(),
            &v1::GetEventResponse::default_instance(),
            &v1::WatchEventsResponse::default_instance(),
            &v1::AnnotateEventResponse::default_instance(),
            &v1::ExplainEventResponse::default_instance(),
            &v1::ListNodesResponse::default_instance(),
            &v1::GetNodeReportResponse::default_instance(),
            &v1::GetVersionResponse::default_instance(),
            &v1::Event::default_instance(),
            &v1::NodeReport::default_instance(),
            &v1::Hello::default_instance(),
            &v1::EventEnvelope::default_instance(),
            &v1::Ack::default_instance(),
            &v1::Query::default_instance(),
            &v1::OomEvent::default_instance(),
            &v1::PressureEvent::default_instance(),
            &v1::GapEvent::default_instance()};
  }

  OldWire old_{GetParam()};
};

TEST_P(WireTest, EverythingHasKeptItsMeaning) {
  EXPECT_THAT(WireBreaches(old_.pool(), *pb::DescriptorPool::generated_pool()), IsEmpty());
}

TEST_P(WireTest, TodayReadsEveryFieldAnOldProgramSends) {
  for (const pb::Message* prototype : Spoken()) {
    const std::string type = prototype->GetDescriptor()->name();
    const auto sent = old_.New(type);
    FillEveryField(sent.get());
    const std::unique_ptr<pb::Message> read(prototype->New());

    ASSERT_TRUE(read->ParseFromString(sent->SerializeAsString())) << type;

    // Field by field by name: nothing has ended in another field or among the unknown.
    EXPECT_EQ(read->DebugString(), sent->DebugString()) << type;
  }
}

TEST_P(WireTest, AnOldProgramReadsTodaysMessagesAndPassesOnWhatItDoesNotKnow) {
  for (const pb::Message* prototype : Spoken()) {
    const std::string type = prototype->GetDescriptor()->name();
    const std::unique_ptr<pb::Message> sent(prototype->New());
    FillEveryField(sent.get());
    const auto read = old_.Parse(type, sent->SerializeAsString());
    ASSERT_NE(read, nullptr) << type;
    const std::unique_ptr<pb::Message> back(prototype->New());

    ASSERT_TRUE(back->ParseFromString(read->SerializeAsString())) << type;

    EXPECT_TRUE(pb::util::MessageDifferencer::Equals(*back, *sent)) << type;
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, WireTest, testing::Values("v0.1", "v0.2"));

// A file like ours in small, before and after a change.
class BreachTest : public testing::Test {
 protected:
  BreachTest() {
    for (const char* name : {"event", "node", "ingest", "query"}) {
      before_.push_back(pb::FileDescriptorProto());
      before_.back().set_name(std::string("oombox/v1/") + name + ".proto");
      before_.back().set_package("oombox.v1");
      before_.back().set_syntax("proto3");
    }
    auto* type = before_[0].add_message_type();
    type->set_name("M");
    auto* field = type->add_field();
    field->set_name("a");
    field->set_number(1);
    field->set_type(pb::FieldDescriptorProto::TYPE_UINT64);
    field->set_label(pb::FieldDescriptorProto::LABEL_OPTIONAL);
    auto* kinds = before_[0].add_enum_type();
    kinds->set_name("E");
    kinds->add_value()->set_name("E_UNSPECIFIED");
    kinds->mutable_value(0)->set_number(0);
    auto* method = before_[0].add_service();
    method->set_name("S");
    method->add_method()->set_name("Do");
    method->mutable_method(0)->set_input_type(".oombox.v1.M");
    method->mutable_method(0)->set_output_type(".oombox.v1.M");
    after_ = before_;
  }

  std::vector<std::string> Breaches() {
    pb::DescriptorPool before;
    pb::DescriptorPool after;
    for (size_t i = 0; i < before_.size(); ++i) {
      before.BuildFile(before_[i]);
      after.BuildFile(after_[i]);
    }
    return WireBreaches(before, after);
  }
  pb::DescriptorProto& type() { return *after_[0].mutable_message_type(0); }

  std::vector<pb::FileDescriptorProto> before_;
  std::vector<pb::FileDescriptorProto> after_;
};

TEST_F(BreachTest, ANewFieldIsNone) {
  *type().add_field() = type().field(0);
  type().mutable_field(1)->set_name("b");
  type().mutable_field(1)->set_number(2);

  EXPECT_THAT(Breaches(), IsEmpty());
}

TEST_F(BreachTest, AnotherNumberIsOne) {
  type().mutable_field(0)->set_number(2);

  EXPECT_THAT(Breaches(), ElementsAre("oombox.v1.M.a: removed, its number and name not reserved"));
}

TEST_F(BreachTest, AnotherTypeIsOne) {
  type().mutable_field(0)->set_type(pb::FieldDescriptorProto::TYPE_STRING);

  EXPECT_THAT(Breaches(), ElementsAre("oombox.v1.M.a: another type"));
}

TEST_F(BreachTest, AnotherNameIsOne) {
  type().mutable_field(0)->set_name("b");

  EXPECT_THAT(Breaches(), ElementsAre("oombox.v1.M.a: number 1 is now b"));
}

TEST_F(BreachTest, ARemovedFieldMustBeReserved) {
  type().clear_field();
  EXPECT_THAT(Breaches(), ElementsAre(HasSubstr("not reserved")));

  auto* range = type().add_reserved_range();
  range->set_start(1);
  range->set_end(2);
  type().add_reserved_name("a");

  EXPECT_THAT(Breaches(), IsEmpty());
}

TEST_F(BreachTest, ARemovedMethodAndARenamedValueAreOnes) {
  after_[0].mutable_service(0)->clear_method();
  after_[0].mutable_enum_type(0)->mutable_value(0)->set_name("E_NONE");

  EXPECT_THAT(Breaches(), ElementsAre(HasSubstr("E_UNSPECIFIED = 0"), HasSubstr("S.Do: gone")));
}

}  // namespace
}  // namespace oombox
