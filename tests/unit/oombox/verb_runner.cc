#include "tests/unit/oombox/verb_runner.h"

#include <algorithm>
#include <cstdlib>

#include "tests/unit/oombox/sample_events.h"
#include "tools/oombox/file_source.h"
#include "tools/oombox/printable.h"
#include "tools/oombox/render/text_width.h"

namespace oombox {

namespace {

// A stream into memory.
class MemoryStream {
 public:
  MemoryStream() : stream_(::open_memstream(&data_, &size_)) {}
  ~MemoryStream() {
    std::fclose(stream_);
    std::free(data_);
  }
  MemoryStream(const MemoryStream&) = delete;
  MemoryStream& operator=(const MemoryStream&) = delete;

  std::FILE* get() { return stream_; }
  std::string text() {
    std::fflush(stream_);
    return {data_, size_};
  }

 private:
  char* data_ = nullptr;
  size_t size_ = 0;
  std::FILE* stream_;
};

}  // namespace

VerbResult RunVerb(std::unique_ptr<EventSource> source, const RunnerOptions& options,
                   const std::function<Result<ExitCode>(const VerbContext&)>& verb) {
  UseUtf8Locale();
  MemoryStream out;
  MemoryStream notes;
  Output output(out.get(), options.width, options.color);
  const std::unique_ptr<EventSource> printable = MakePrintableSource(std::move(source));
  const VerbContext context{printable.get(), &output,         notes.get(),
                            options.format,  options.headers, kNow};
  VerbResult result;
  const auto code = verb(context);
  result.out = out.text();
  result.notes = notes.text();
  if (code.has_value()) {
    result.exit_code = *code;
  } else {
    result.exit_code = ExitCodeOf(code.error().code);
    result.error = code.error().message;
  }
  return result;
}

std::unique_ptr<EventSource> SourceOf(std::vector<v1::Event> events,
                                      std::optional<v1::CoverageSummary> coverage) {
  std::sort(events.begin(), events.end(), [](const v1::Event& a, const v1::Event& b) {
    return a.event_time().seconds() > b.event_time().seconds();
  });
  return std::make_unique<FileSource>("saved.json",
                                      SavedEvents{std::move(events), std::move(coverage)});
}

}  // namespace oombox
