#include "tools/oombox/live_screen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>

#include "agent/common/unique_fd.h"
#include "tests/unit/oombox/pressure_samples.h"
#include "tests/unit/oombox/verb_runner.h"
#include "tools/oombox/render/text_width.h"
#include "tools/oombox/stop_signals.h"

namespace oombox {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kEnter = "\033[?1049h\033[?25l";
constexpr const char* kLeave = "\033[?25h\033[?1049l";
constexpr const char* kHome = "\033[H";
constexpr const char* kEndOfPicture = "\033[J";

// A terminal of its own with a child process in it that runs `body`, as a shell would start it.
class Terminal {
 public:
  Terminal(unsigned short rows, unsigned short columns, const std::function<int()>& body) {
    const winsize size{.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    std::fflush(nullptr);  // or the child would write it again
    int master = -1;
    child_ = ::forkpty(&master, nullptr, nullptr, &size);
    if (child_ == 0) {
      ::setenv("TERM", "xterm-256color", 1);
      const int code = body();
      std::fflush(nullptr);
      ::_exit(code);
    }
    master_ = UniqueFd(master);
    EXPECT_GT(child_, 0) << "no terminal";
  }
  ~Terminal() {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  void Type(std::string_view keys) const {
    EXPECT_EQ(::write(master_.get(), keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  void Signal(int signal) const { ::kill(child_, signal); }
  void Resize(unsigned short rows, unsigned short columns) const {
    const winsize size{.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    EXPECT_EQ(::ioctl(master_.get(), TIOCSWINSZ, &size), 0);
  }
  tcflag_t LocalFlags() const {
    termios now{};
    EXPECT_EQ(::tcgetattr(master_.get(), &now), 0);
    return now.c_lflag;
  }

  // Reads until `text` has come `times` times; false when it does not come.
  bool ReadUntil(std::string_view text, int times = 1) {
    while (Count(text) < times) {
      if (!ReadSome()) {
        return false;
      }
    }
    return true;
  }
  // Reads all that comes and returns the exit code.
  int ReadToTheEnd() {
    while (ReadSome()) {
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child_, &status, 0), child_);
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  const std::string& written() const { return written_; }

 private:
  int Count(std::string_view text) const {
    int count = 0;
    for (size_t at = written_.find(text); at != std::string::npos;
         at = written_.find(text, at + 1)) {
      ++count;
    }
    return count;
  }

  bool ReadSome() {
    using std::chrono::milliseconds;
    const auto left =
        std::chrono::duration_cast<milliseconds>(deadline_ - std::chrono::steady_clock::now());
    pollfd fd{.fd = master_.get(), .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || ::poll(&fd, 1, static_cast<int>(left.count())) <= 0) {
      ADD_FAILURE() << "what was waited for did not come, or it did not end: " << written_;
      ::kill(child_, SIGKILL);
      return false;
    }
    std::array<char, 65536> buffer{};
    const ssize_t size = ::read(master_.get(), buffer.data(), buffer.size());
    if (size <= 0) {
      return false;  // EIO: nobody has the terminal open any more
    }
    written_.append(buffer.data(), static_cast<size_t>(size));
    return true;
  }

  const std::chrono::steady_clock::time_point deadline_ =
      std::chrono::steady_clock::now() + std::chrono::seconds(20);
  UniqueFd master_;
  pid_t child_ = -1;
  std::string written_;
};

// As the program runs it: signals as a stop, everything on the terminal.
int TopOn(std::unique_ptr<EventSource> source) {
  UseUtf8Locale();
  const auto signals = StopSignals::Make();
  Output out = Output::ForStdout(ColorMode::kNever);
  const VerbContext context{source.get(), &out, stderr, OutputFormat::kDefault, true, kNow};
  const auto code = RunTop({.interval = "1s"}, context, (*signals)->token());
  return code.has_value() ? *code : 99;
}

int TopOfOneNode() {
  return TopOn(std::make_unique<NodesSource>(std::vector<v1::NodeStatus>{WatchingNode()}));
}

// What was drawn, picture by picture, without the way in and out.
std::vector<std::string> Pictures(const std::string& written) {
  std::vector<std::string> pictures;
  for (size_t at = written.find(kHome); at != std::string::npos; at = written.find(kHome, at)) {
    at += std::string_view(kHome).size();
    const size_t end = written.find(kEndOfPicture, at);
    if (end == std::string::npos) {
      break;
    }
    pictures.push_back(written.substr(at, end - at));
  }
  return pictures;
}

size_t Lines(const std::string& picture) {
  return static_cast<size_t>(std::count(picture.begin(), picture.end(), '\n')) + 1;
}

std::string AfterLeaving(const std::string& written) {
  const size_t at = written.rfind(kLeave);
  return at == std::string::npos ? "" : written.substr(at + std::string_view(kLeave).size());
}

TEST(LiveScreenTest, DrawsInPlaceOnTheOtherScreen) {
  Terminal terminal(24, 80, TopOfOneNode);
  ASSERT_TRUE(terminal.ReadUntil(kEndOfPicture, 2));
  terminal.Type("q");
  EXPECT_EQ(terminal.ReadToTheEnd(), kExitOk);

  EXPECT_THAT(terminal.written(), StartsWith(kEnter));
  const std::vector<std::string> pictures = Pictures(terminal.written());
  ASSERT_GE(pictures.size(), 2u);
  for (const std::string& picture : pictures) {
    EXPECT_THAT(picture, StartsWith("oombox top  "));
    EXPECT_THAT(picture, HasSubstr("session-cache-0"));
    EXPECT_THAT(picture, HasSubstr("critical"));
    EXPECT_LE(Lines(picture), 24u) << "it would scroll";
    EXPECT_THAT(picture, Not(HasSubstr("\n\033[H")));
  }
  const std::string between = terminal.written().substr(0, terminal.written().rfind(kLeave));
  EXPECT_EQ(between.find(kLeave), std::string::npos) << "it left before the end";
}

TEST(LiveScreenTest, EndsAtQAndLeavesTheLastPicture) {
  Terminal terminal(24, 80, TopOfOneNode);
  ASSERT_TRUE(terminal.ReadUntil(kEndOfPicture));
  EXPECT_EQ(terminal.LocalFlags() & (ECHO | ICANON), 0u) << "typed letters would be shown";
  terminal.Type("xq");
  EXPECT_EQ(terminal.ReadToTheEnd(), kExitOk);

  EXPECT_EQ(terminal.LocalFlags() & (ECHO | ICANON), static_cast<tcflag_t>(ECHO | ICANON));
  const std::string left = AfterLeaving(terminal.written());
  EXPECT_THAT(left, StartsWith("oombox top  "));
  EXPECT_THAT(left, HasSubstr("session-cache-0"));
  EXPECT_THAT(left, Not(HasSubstr("\033"))) << "nothing more is done to the screen";
}

TEST(LiveScreenTest, GivesTheTerminalBackAtASignal) {
  const std::vector<std::function<void(const Terminal&)>> ways = {
      [](const Terminal& terminal) { terminal.Type("\x03"); },  // ctrl-C, by the terminal
      [](const Terminal& terminal) { terminal.Signal(SIGINT); },
      [](const Terminal& terminal) { terminal.Signal(SIGTERM); }};
  for (const auto& end : ways) {
    Terminal terminal(24, 80, TopOfOneNode);
    ASSERT_TRUE(terminal.ReadUntil(kEndOfPicture));
    end(terminal);
    EXPECT_EQ(terminal.ReadToTheEnd(), kExitOk);

    EXPECT_EQ(terminal.LocalFlags() & (ECHO | ICANON), static_cast<tcflag_t>(ECHO | ICANON));
    EXPECT_THAT(AfterLeaving(terminal.written()), HasSubstr("session-cache-0"));
    EXPECT_EQ(terminal.written().find(kEnter), terminal.written().rfind(kEnter));
  }
}

TEST(LiveScreenTest, FollowsTheSizeOfTheTerminal) {
  Terminal terminal(24, 120, TopOfOneNode);
  ASSERT_TRUE(terminal.ReadUntil(kEndOfPicture));
  terminal.Resize(6, 80);
  ASSERT_TRUE(terminal.ReadUntil("and 4 more: oombox top --once --all"));
  terminal.Type("q");
  EXPECT_EQ(terminal.ReadToTheEnd(), kExitOk);

  const std::string last = Pictures(terminal.written()).back();
  EXPECT_LE(Lines(last), 6u);
  EXPECT_THAT(last, HasSubstr("session-cache-0"));
}

TEST(LiveScreenTest, DoesNotScrollATerminalThatIsTooLowForIt) {
  Terminal terminal(3, 80, TopOfOneNode);
  ASSERT_TRUE(terminal.ReadUntil(kEndOfPicture));
  terminal.Type("q");
  EXPECT_EQ(terminal.ReadToTheEnd(), kExitOk);

  EXPECT_EQ(Lines(Pictures(terminal.written()).front()), 3u);
}

// Tells its nodes once; then nobody is there.
class GoneSource final : public EventSource {
 public:
  std::string Describe() const override { return "the collector at test"; }
  Result<EventList> ListEvents(const ListRequest&) override { return EventList{}; }
  Result<v1::Event> GetEvent(std::string_view) override { return v1::Event(); }
  Result<v1::ExplainEventResponse> Explain(std::string_view) override {
    return v1::ExplainEventResponse();
  }
  Status Watch(const WatchRequest&, const WatchSink&, std::stop_token) override { return {}; }
  Result<std::vector<v1::NodeStatus>> Nodes() override {
    if (std::exchange(asked_, true)) {
      return MakeError(ErrorCode::kUnavailable, "nobody answers\ntry: later");
    }
    return std::vector<v1::NodeStatus>{WatchingNode()};
  }
  Result<v1::GetVersionResponse> Version() override { return v1::GetVersionResponse(); }

 private:
  bool asked_ = false;
};

TEST(LiveScreenTest, ShowsTheLastAnswerAndThatItIsOld) {
  Terminal terminal(24, 80, [] { return TopOn(std::make_unique<GoneSource>()); });
  ASSERT_TRUE(terminal.ReadUntil("nobody answers"));
  terminal.Type("q");
  EXPECT_EQ(terminal.ReadToTheEnd(), kExitOk);

  const std::string last = Pictures(terminal.written()).back();
  EXPECT_THAT(last, HasSubstr("! as of "));
  EXPECT_THAT(last, Not(HasSubstr("try: later")));
  EXPECT_THAT(last, HasSubstr("session-cache-0"));
}

}  // namespace
}  // namespace oombox
