#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/oombox/golden.h"
#include "tests/unit/oombox/sample_events.h"
#include "tests/unit/oombox/verb_runner.h"
#include "tools/oombox/render/style.h"
#include "tools/oombox/render/watch_line.h"

namespace oombox {
namespace {

using ::testing::HasSubstr;

VerbResult Watch(std::vector<v1::Event> events, const WatchOptions& options = {},
                 const RunnerOptions& runner = {}) {
  return RunVerb(SourceOf(std::move(events)), runner, [&](const VerbContext& context) {
    return RunWatch(options, context, std::stop_token());
  });
}

TEST(WatchTest, PrintsALinePerEventOldestFirst) {
  v1::Event recorded = HogEvent("3k7qzd0123456789", kMinute);
  recorded.set_replayed(true);

  const VerbResult result =
      Watch({HogEvent(), ChildEvent(), NodeEvent(), GapEventSample(), HostileEvent(), recorded});

  ExpectGolden("watch.txt", result.out);
  EXPECT_EQ(result.exit_code, kExitOk);
}

TEST(WatchTest, EndsAfterAsManyLinesAsAsked) {
  const VerbResult result = Watch({HogEvent(), ChildEvent(), NodeEvent()}, {.count = 2});

  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 2);
}

TEST(WatchTest, PrintsJsonLines) {
  const VerbResult result = Watch({HogEvent()}, {}, {.format = OutputFormat::kJsonLines});

  EXPECT_THAT(result.out, ::testing::StartsWith("{\"event_id\":\"4k7qzd0123456789\""));
}

TEST(WatchTest, GoesOnAfterAnEventThatJsonCannotWrite) {
  v1::Event bad = GapEventSample("bad0000000000000");
  bad.mutable_gap()->mutable_start_time()->set_seconds(int64_t{1} << 60);

  const VerbResult result = Watch({HogEvent("00d1111111111111", kMinute), bad}, {.count = 1},
                                  {.format = OutputFormat::kJsonLines});

  EXPECT_THAT(result.out, ::testing::StartsWith("{\"event_id\":\"00d1111111111111\""))
      << result.error;
  EXPECT_THAT(result.notes, HasSubstr("event bad0000000000000 is left out"));
  EXPECT_EQ(result.exit_code, kExitPartial);
}

TEST(WatchTest, DoesNotTellARevisionThatShowsNothingNew) {
  class Revising final : public EventSource {
   public:
    std::string Describe() const override { return "test"; }
    Result<EventList> ListEvents(const ListRequest&) override { return EventList{}; }
    Result<v1::Event> GetEvent(std::string_view) override { return v1::Event(); }
    Result<v1::ExplainEventResponse> Explain(std::string_view) override { return {}; }
    Status Watch(const WatchRequest&, const WatchSink& sink, std::stop_token) override {
      v1::WatchEventsResponse response;
      *response.mutable_event() = HogEvent();
      sink.on_response(response);
      response.mutable_event()->set_revision(2);
      sink.on_response(response);
      response.mutable_event()->mutable_oom()->mutable_limit_hit()->set_limit_bytes(1 << 30);
      sink.on_response(response);
      return {};
    }
    Result<std::vector<v1::NodeStatus>> Nodes() override { return std::vector<v1::NodeStatus>(); }
    Result<v1::GetVersionResponse> Version() override { return {}; }
  };

  const VerbResult result =
      RunVerb(std::make_unique<Revising>(), {},
              [](const VerbContext& context) { return RunWatch({}, context, std::stop_token()); });

  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 2);
  EXPECT_THAT(result.out, HasSubstr("limit 1Gi"));
}

TEST(WatchTest, GoesOnFromNowAndSaysSoWhenItsPlaceIsGone) {
  class Forgetful final : public EventSource {
   public:
    explicit Forgetful(std::vector<std::string>* tokens) : tokens_(*tokens) {}
    std::string Describe() const override { return "test"; }
    Result<EventList> ListEvents(const ListRequest&) override { return EventList{}; }
    Result<v1::Event> GetEvent(std::string_view) override { return v1::Event(); }
    Result<v1::ExplainEventResponse> Explain(std::string_view) override { return {}; }
    Status Watch(const WatchRequest& request, const WatchSink& sink, std::stop_token) override {
      tokens_.push_back(request.resume_token);
      if (tokens_.size() == 1) {
        v1::WatchEventsResponse response;
        response.set_resume_token("a place");
        sink.on_response(response);
        return MakeError(ErrorCode::kUnavailable, "gone");
      }
      return tokens_.size() == 2 ? MakeError(ErrorCode::kAmbiguous, "events were removed")
                                 : Status();
    }
    Result<std::vector<v1::NodeStatus>> Nodes() override { return std::vector<v1::NodeStatus>(); }
    Result<v1::GetVersionResponse> Version() override { return {}; }

   private:
    std::vector<std::string>& tokens_;
  };
  std::vector<std::string> tokens;

  const VerbResult result =
      RunVerb(std::make_unique<Forgetful>(&tokens), {}, [](const VerbContext& context) {
        return RunWatch({.backoff = std::chrono::milliseconds(1)}, context, std::stop_token());
      });

  EXPECT_EQ(result.exit_code, kExitOk) << result.error;
  EXPECT_THAT(tokens, ::testing::ElementsAre("", "a place", ""));
  EXPECT_THAT(result.notes, HasSubstr("events were removed\noombox: watching from now on"));
}

}  // namespace
}  // namespace oombox
