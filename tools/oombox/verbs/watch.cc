#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>

#include "tools/oombox/filter_builder.h"
#include "tools/oombox/moment.h"
#include "tools/oombox/render/watch_line.h"
#include "tools/oombox/verbs/verbs.h"
#include "tools/oombox/verbs/write_json.h"

namespace oombox {

namespace {

constexpr std::chrono::milliseconds kLongestPause{10'000};
constexpr size_t kMaxRemembered = 4096;

// Prints events, one line each; a revision that changes nothing visible is not told again.
class Printer {
 public:
  Printer(const VerbContext& context, int64_t count) : context_(context), left_(count) {}

  // False when enough was printed, or nobody reads any more.
  bool Print(const v1::Event& event) {
    if (!Write(event)) {
      return true;
    }
    const bool enough = left_ > 0 && --left_ == 0;
    return !enough && !context_.out->closed() && context_.out->status().has_value();
  }

  ExitCode exit_code() const { return whole_ ? kExitOk : kExitPartial; }

 private:
  // False: there was nothing to write, or it could not be written.
  bool Write(const v1::Event& event) {
    if (context_.format == OutputFormat::kJsonLines || context_.format == OutputFormat::kJson) {
      const bool written = WriteJsonLine(event, context_);
      whole_ = whole_ && written;
      return written;
    }
    const std::string line = WatchLine(event, context_.out->paint(), context_.out->width()) + "\n";
    if (last_lines_.size() >= kMaxRemembered) {
      last_lines_.clear();
    }
    std::string& last = last_lines_[event.event_id()];
    if (std::exchange(last, line) == line) {
      return false;
    }
    context_.out->Write(line);
    return true;
  }

  const VerbContext& context_;
  int64_t left_;
  bool whole_ = true;
  std::map<std::string, std::string> last_lines_;
};

// False when stopped meanwhile.
bool Pause(std::chrono::milliseconds pause, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, stop, pause, [] { return false; });
  return !stop.stop_requested();
}

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

class WatchLoop {
 public:
  WatchLoop(const WatchOptions& options, const VerbContext& context, std::string filter)
      : options_(options), context_(context), printer_(context, options.count) {
    request_.filter = std::move(filter);
    // Lines for machines are complete; the compact one needs no more than a list does.
    request_.view =
        context.format == OutputFormat::kDefault || context.format == OutputFormat::kCompact
            ? v1::EVENT_VIEW_BASIC
            : v1::EVENT_VIEW_FULL;
  }

  Result<ExitCode> Run(const std::stop_token& stop) {
    const WatchSink sink{
        [this] { Opened(); },
        [this](const v1::WatchEventsResponse& response) { return Take(response); }};
    std::chrono::milliseconds pause = options_.backoff;
    while (true) {
      const bool was_open = std::exchange(open_, false);
      const Status ended = context_.source->Watch(request_, sink, stop);
      if (ended.has_value() || stop.stop_requested()) {
        return printer_.exit_code();
      }
      ever_open_ = ever_open_ || was_open || open_;
      if (LostItsPlace(ended.error())) {
        continue;
      }
      // A server that was never there is a wrong address; one that went away comes back.
      if (!options_.reconnect || !ever_open_ || ended.error().code != ErrorCode::kUnavailable) {
        return tl::unexpected<Error>(ended.error());
      }
      pause = open_ ? options_.backoff : std::min(pause * 2, kLongestPause);
      if (open_) {
        fmt::print(context_.notes, "oombox: {}; connecting again\n",
                   FirstLine(ended.error().message));
      }
      if (!Pause(pause, stop)) {
        return printer_.exit_code();
      }
    }
  }

 private:
  void Opened() {
    open_ = true;
    if (!ever_open_) {
      fmt::print(context_.notes, "oombox: watching {}; ctrl-C ends\n", context_.source->Describe());
    } else if (request_.resume_token.empty()) {
      fmt::print(context_.notes,
                 "oombox: connected again, but nothing had come to go on after: what happened in "
                 "between is in `oombox list --since {}`\n",
                 FormatRfc3339(context_.now_ns / 1'000'000'000 * 1'000'000'000));
    } else {
      fmt::print(context_.notes, "oombox: connected again, going on after the last event\n");
    }
    std::fflush(context_.notes);
    ever_open_ = true;
  }

  // The server cannot go on where we were: say so, and go on from now.
  bool LostItsPlace(const Error& error) {
    if (!options_.reconnect || request_.resume_token.empty() ||
        error.code != ErrorCode::kAmbiguous) {
      return false;
    }
    request_.resume_token.clear();
    fmt::print(context_.notes,
               "oombox: {}\noombox: watching from now on; what happened in between is in `oombox "
               "list`, as far as it is kept\n",
               FirstLine(error.message));
    return true;
  }

  bool Take(const v1::WatchEventsResponse& response) {
    open_ = true;
    if (!response.resume_token().empty()) {
      request_.resume_token = response.resume_token();
    }
    return !response.has_event() || printer_.Print(response.event());
  }

  const WatchOptions& options_;
  const VerbContext& context_;
  Printer printer_;
  WatchRequest request_;
  bool open_ = false;       // in this attempt
  bool ever_open_ = false;  // in any
};

}  // namespace

Result<ExitCode> RunWatch(const WatchOptions& options, const VerbContext& context,
                          const std::stop_token& stop) {
  using F = OutputFormat;
  OOMBOX_RETURN_IF_ERROR(
      CheckFormat("watch", context.format, {F::kCompact, F::kJson, F::kJsonLines}));
  if (options.count < 0) {
    return MakeError(ErrorCode::kInvalid, "--count {}: give a number from 1 on", options.count);
  }
  OOMBOX_TRY(std::string filter, BuildFilter(options.filter, context.now_ns));
  if (options.filter.print) {
    context.out->Write(filter + "\n");
    return kExitOk;
  }
  return WatchLoop(options, context, std::move(filter)).Run(stop);
}

}  // namespace oombox
