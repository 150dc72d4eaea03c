#include <gmock/gmock.h>

#include <thread>

#include "agent/common/clock.h"
#include "tests/unit/query/fixture.h"

namespace oombox {
namespace {

using testing::HasSubstr;

class WatchTest : public QueryServerFixture {
 protected:
  // One WatchEvents call that has found its place: what is stored from now on is seen.
  struct Watch {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<v1::WatchEventsResponse>> reader;
    v1::WatchEventsResponse last;

    // Responses that have only a resume token are passed over.
    std::string NextId() {
      while (reader->Read(&last)) {
        if (last.has_event()) {
          return last.event().event_id();
        }
      }
      return "ended";
    }
  };

  std::unique_ptr<Watch> Begin(const std::string& filter = "", const std::string& token = "",
                               v1::EventView view = v1::EVENT_VIEW_UNSPECIFIED,
                               std::chrono::seconds timeout = std::chrono::seconds{20}) {
    auto watch = std::make_unique<Watch>();
    v1::WatchEventsRequest request;
    request.set_filter(filter);
    request.set_resume_token(token);
    request.set_view(view);
    watch->context.set_deadline(std::chrono::system_clock::now() + timeout);
    watch->reader = events_->WatchEvents(&watch->context, request);
    watch->reader->WaitForInitialMetadata();
    return watch;
  }

  grpc::Status End(Watch& watch) {
    watch.context.TryCancel();
    return watch.reader->Finish();
  }
};

TEST_F(WatchTest, SeesWhatIsStoredFromNowOn) {
  Put(TestOom(1));
  auto watch = Begin();

  Put(TestOom(2));
  EXPECT_EQ(watch->NextId(), TestId(2));
  Put(TestOom(3));
  EXPECT_EQ(watch->NextId(), TestId(3));

  EXPECT_EQ(watch->last.event().view(), v1::EVENT_VIEW_BASIC);
  EXPECT_EQ(End(*watch).error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(WatchTest, SeesARevisedEventAgain) {
  auto watch = Begin();

  Put(TestOom(1, 1));
  ASSERT_EQ(watch->NextId(), TestId(1));
  Put(TestOom(1, 2));

  EXPECT_EQ(watch->NextId(), TestId(1));
  EXPECT_EQ(watch->last.event().revision(), 2u);
  End(*watch);
}

TEST_F(WatchTest, SeesOnlyWhatTheFilterSelects) {
  auto watch = Begin("tgid = 1003", "", v1::EVENT_VIEW_FULL);

  for (uint64_t i = 1; i <= 3; ++i) {
    Put(TestOom(i));
  }

  EXPECT_EQ(watch->NextId(), TestId(3));
  EXPECT_EQ(watch->last.event().oom().cgroups_size(), 4);
  End(*watch);
}

TEST_F(WatchTest, GoesOnAfterTheEventOfAResumeToken) {
  std::string token;
  {
    auto watch = Begin();
    Put(TestOom(1));
    ASSERT_EQ(watch->NextId(), TestId(1));
    token = watch->last.resume_token();
    End(*watch);
  }
  for (uint64_t i = 2; i <= 100; ++i) {
    Put(TestOom(i));
  }

  auto watch = Begin("", token);

  for (uint64_t i = 2; i <= 100; ++i) {
    ASSERT_EQ(watch->NextId(), TestId(i));
  }
  End(*watch);
}

TEST_F(WatchTest, GivesAResumeTokenBeforeTheFirstEvent) {
  Put(TestOom(1));
  auto watch = Begin("tgid = 1002");
  ASSERT_TRUE(watch->reader->Read(&watch->last));
  EXPECT_FALSE(watch->last.has_event());
  const std::string token = watch->last.resume_token();
  End(*watch);
  Put(TestOom(2));
  Put(TestOom(3));

  auto resumed = Begin("tgid = 1002", token);

  EXPECT_EQ(resumed->NextId(), TestId(2));
  End(*resumed);
}

TEST_F(WatchTest, GivesATokenAfterALongStretchWithoutAMatch) {
  auto watch = Begin("tgid = 1");
  ASSERT_TRUE(watch->reader->Read(&watch->last));
  const std::string first = watch->last.resume_token();
  std::vector<v1::Event> many;
  for (uint64_t i = 1; i <= 1200; ++i) {
    many.push_back(TestOom(i));
  }

  ASSERT_TRUE(store_->Put(many, std::nullopt).has_value());

  ASSERT_TRUE(watch->reader->Read(&watch->last));
  EXPECT_FALSE(watch->last.has_event());
  EXPECT_NE(watch->last.resume_token(), first);
  End(*watch);
}

TEST_F(WatchTest, SaysWhenEventsAfterTheTokenWereRemoved) {
  auto first = Begin();
  Put(TestOom(1));
  ASSERT_EQ(first->NextId(), TestId(1));
  const std::string old_token = first->last.resume_token();
  Put(TestOom(2));
  ASSERT_EQ(first->NextId(), TestId(2));
  const std::string last_token = first->last.resume_token();
  End(*first);
  constexpr int64_t kYearNs = 365 * 86'400'000'000'000;
  ASSERT_TRUE(store_->Retain(WallNowNs() + kYearNs).has_value());
  Put(TestOom(3));

  const grpc::Status status = Begin("", old_token)->reader->Finish();

  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("removed by the store's bounds"));
  auto resumed = Begin("", last_token);
  EXPECT_EQ(resumed->NextId(), TestId(3));
  End(*resumed);
}

TEST_F(WatchTest, FindsAFarMatchBehindManyEventsThatDoNotMatch) {
  auto first = Begin();
  Put(TestOom(0));
  ASSERT_EQ(first->NextId(), TestId(0));
  for (uint64_t i = 1; i <= 300; ++i) {
    Put(TestOom(i));
  }

  auto watch = Begin("tgid = 1300", first->last.resume_token());

  EXPECT_EQ(watch->NextId(), TestId(300));
  End(*watch);
  End(*first);
}

TEST_F(WatchTest, RefusesATokenOfAStoreThatWasReplaced) {
  TempDir other_dir;
  auto other_store = EventStore::Open({.path = other_dir.File("events.db")}).value();
  auto other = QueryServer::Start({}, *other_store, nodes_).value();
  auto watch = Begin();
  Put(TestOom(1));
  ASSERT_EQ(watch->NextId(), TestId(1));
  v1::WatchEventsRequest request;
  request.set_resume_token(watch->last.resume_token());
  End(*watch);

  auto stub = v1::EventService::NewStub(other->InProcessChannel());
  grpc::ClientContext context;
  const grpc::Status status = stub->WatchEvents(&context, request)->Finish();

  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("watch again without a token"));
}

TEST_F(WatchTest, RefusesAFilterAndATokenThatMakeNoSense) {
  EXPECT_EQ(Begin("colour = red")->reader->Finish().error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Begin("", "nonsense")->reader->Finish().error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(WatchTest, RefusesTheWatcherThatIsTooMany) {
  std::vector<std::unique_ptr<Watch>> watches;
  for (int i = 0; i < 64; ++i) {
    watches.push_back(Begin());
  }

  EXPECT_EQ(Begin()->reader->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);

  for (auto& watch : watches) {
    End(*watch);
  }
}

TEST_F(WatchTest, EndsWhenTheServerShutsDown) {
  auto watch = Begin();

  std::jthread shutdown([this] { server_->Shutdown(std::chrono::seconds{10}); });

  EXPECT_EQ(watch->NextId(), "ended");
  // Cancelled when a response was just being written: who does not read must not hold it up.
  EXPECT_THAT(watch->reader->Finish().error_code(),
              testing::AnyOf(grpc::StatusCode::UNAVAILABLE, grpc::StatusCode::CANCELLED));
}

TEST_F(WatchTest, AClientThatDoesNotReadHoldsUpNobody) {
  constexpr std::chrono::minutes kLong{10};
  auto stuck = Begin("", "", v1::EVENT_VIEW_FULL, kLong);
  auto quick = Begin("", "", v1::EVENT_VIEW_UNSPECIFIED, kLong);
  for (uint64_t i = 0; i < 200; ++i) {
    v1::Event event = TestOom(i);
    event.mutable_oom()->mutable_victims(0)->set_cmdline(std::string(100u << 10, 'x'));
    Put(event);
    ASSERT_EQ(quick->NextId(), TestId(i));
  }
  quick->context.TryCancel();

  constexpr std::chrono::seconds kGrace{20};
  const auto begin = std::chrono::steady_clock::now();
  server_->Shutdown(kGrace);

  EXPECT_LT(std::chrono::steady_clock::now() - begin, kGrace) << "it was held up";
}

}  // namespace
}  // namespace oombox
