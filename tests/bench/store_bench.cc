// The event store at the size of a cluster's collector, `store_bench --events=1000000`, and an
// agent's journal, `store_bench --events=0 --benchmark_filter=journal`.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string_view>

#include "agent/store/event_store.h"
#include "agent/store/journal.h"
#include "tests/bench/bench_events.h"
#include "tests/support/kill_bytes.h"

namespace oombox {
namespace {

constexpr size_t kBatch = 1000;

v1::Event MakeEvent(uint64_t number) {
  return BenchEvent(number, fmt::format("ip-10-3-{}-{}", number % 8, number % 250));
}

std::unique_ptr<EventStore> store;
std::unique_ptr<Journal> journal;
int64_t session_id = 0;

bool Fill(const std::string& path, uint64_t count) {
  auto opened = EventStore::Open({.path = path, .max_bytes = 1ull << 40});
  if (!opened.has_value()) {
    std::fprintf(stderr, "%s\n", opened.error().message.c_str());
    return false;
  }
  store = std::move(opened).value();
  std::vector<v1::Event> batch;
  for (uint64_t i = 0; i < count; ++i) {
    batch.push_back(MakeEvent(i));
    if (batch.size() == kBatch || i + 1 == count) {
      if (!store->Put(batch, std::nullopt).has_value()) {
        return false;
      }
      batch.clear();
    }
  }
  return true;
}

bool OpenJournal(const std::string& path) {
  auto opened = Journal::Open({.path = path, .max_bytes = 1ull << 40});
  if (!opened.has_value()) {
    std::fprintf(stderr, "%s\n", opened.error().message.c_str());
    return false;
  }
  journal = std::move(opened).value();
  const auto session = journal->BeginSession({.boot_id = "bench"});
  session_id = session.has_value() ? session->id : 0;
  return session.has_value();
}

// A kill as the ring brings it: ten users of memory.
std::string KillRecord() {
  testing::KillBytes kill;
  for (uint32_t tgid = 1; tgid < OOMBOX_MAX_USERS; ++tgid) {
    kill.AddUser(testing::KillBytes::Process(tgid, "python3", 20));
  }
  return kill.bytes();
}

// One group commit each (synchronous=FULL), as capture does it: what an iteration takes is on disk
// when it ends.
void AppendGroups(benchmark::State& state) {
  const std::string record = KillRecord();
  const std::vector<std::string_view> group(static_cast<size_t>(state.range(0)), record);
  for (auto _ : state) {
    if (!journal->Append(session_id, group).has_value()) {
      state.SkipWithError("append failed");
      break;
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * state.range(0) *
                          static_cast<int64_t>(record.size()));
}

void ListPage(benchmark::State& state, const char* filter, int64_t before_time_ns) {
  const ListQuery query{.filter = Filter::Parse(filter).value(),
                        .view = v1::EVENT_VIEW_BASIC,
                        .limit = 100,
                        .before_time_ns = before_time_ns,
                        .before_seq = before_time_ns == 0 ? 0u : 1u};
  for (auto _ : state) {
    const auto page = store->List(query);
    if (!page.has_value() || page->empty()) {
      state.SkipWithError("no events listed");
      break;
    }
  }
}

void PutBatches(benchmark::State& state) {
  const auto size = static_cast<size_t>(state.range(0));
  uint64_t next = 1ull << 40;
  for (auto _ : state) {
    std::vector<v1::Event> batch;
    for (size_t i = 0; i < size; ++i) {
      batch.push_back(MakeEvent(next++));
    }
    if (!store->Put(batch, std::nullopt).has_value()) {
      state.SkipWithError("put failed");
      break;
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void Register(uint64_t count) {
  const int64_t middle_ns = (kBenchStart + static_cast<int64_t>(count / 2)) * 1'000'000'000;
  const auto ms = benchmark::kMillisecond;
  benchmark::RegisterBenchmark("list_newest", ListPage, "", 0)->Unit(ms);
  benchmark::RegisterBenchmark("list_from_the_middle", ListPage, "", middle_ns)->Unit(ms);
  benchmark::RegisterBenchmark("list_one_workload", ListPage,
                               "workload = \"ns-1/deployment/app-1\"", 0)
      ->Unit(ms);
  benchmark::RegisterBenchmark("list_rare_comm", ListPage, "comm = java", 0)->Unit(ms);
  benchmark::RegisterBenchmark("list_one_node", ListPage, "node = \"ip-10-3-1-1\"", 0)->Unit(ms);
  benchmark::RegisterBenchmark("list_old_pod", ListPage, "cgroup : pod777/", 0)->Unit(ms);
  benchmark::RegisterBenchmark("put", PutBatches)->Arg(1)->Arg(100)->Unit(ms)->UseRealTime();
  benchmark::RegisterBenchmark("journal_append", AppendGroups)
      ->Arg(1)
      ->Arg(16)
      ->Arg(256)
      ->Unit(ms)
      ->UseRealTime();
}

}  // namespace
}  // namespace oombox

int main(int argc, char** argv) {
  uint64_t count = 100'000;
  benchmark::Initialize(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    std::string_view argument = argv[i];
    if (argument.starts_with("--events=")) {
      argument.remove_prefix(9);
      std::from_chars(argument.data(), argument.data() + argument.size(), count);
    }
  }
  std::string directory = (std::filesystem::temp_directory_path() / "oombox-bench-XXXXXX").string();
  if (::mkdtemp(directory.data()) == nullptr || !oombox::Fill(directory + "/events.db", count) ||
      !oombox::OpenJournal(directory + "/journal.db")) {
    std::fprintf(stderr, "store_bench: cannot fill a store below %s\n", directory.c_str());
    return 1;
  }
  std::printf("%llu events, %ju bytes\n", static_cast<unsigned long long>(count),
              static_cast<uintmax_t>(std::filesystem::file_size(directory + "/events.db")));
  oombox::Register(count);
  benchmark::RunSpecifiedBenchmarks();
  oombox::store.reset();
  oombox::journal.reset();
  std::filesystem::remove_all(directory);
  return 0;
}
