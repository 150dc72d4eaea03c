// Many simulated agents against a real oombox-collector: throughput, cost of being connected, one
// noisy agent, and what happens when the collector is killed and all come back. Prints a JSON line
// for each; exits 1 when an event was lost or stored twice, when something did not end in time, or
// when fewer than `rate` events a second became durable.
//
//   fleet_bench --collector=build/release/bin/oombox-collector [--agents=2000] [--events=60000]
//               [--noisy=20000] [--idle=30] [--down=5] [--deadline=300]
//               [--rate=0]
#include <fmt/format.h>
#include <grpcpp/create_channel.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "oombox/v1/query.grpc.pb.h"
#include "tests/bench/fleet/collector_process.h"
#include "tests/bench/fleet/fleet.h"

namespace oombox {
namespace {

using Clock = std::chrono::steady_clock;

// How often the fleet is looked at: also the resolution of every time below.
constexpr std::chrono::milliseconds kLook{100};  // looking costs, too: every agent's locks

std::map<std::string, uint64_t> Numbers(int argc, char** argv, std::string* collector) {
  std::map<std::string, uint64_t> numbers = {
      {"agents", 2000}, {"events", 60'000}, {"noisy", 20'000}, {"idle", 30},
      {"down", 5},      {"deadline", 300},  {"rate", 0}};
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const size_t equals = word.find('=');
    if (!word.starts_with("--") || equals == std::string::npos) {
      continue;
    }
    const std::string name = word.substr(2, equals - 2);
    const std::string value = word.substr(equals + 1);
    if (name == "collector") {
      *collector = value;
    } else {
      std::from_chars(value.data(), value.data() + value.size(), numbers[name]);
    }
  }
  return numbers;
}

class Bench {
 public:
  Bench(const std::string& program, const std::string& directory,
        std::map<std::string, uint64_t> numbers)
      : numbers_(std::move(numbers)),
        collector_(program, directory, static_cast<int>(numbers_["agents"]) + 100),
        fleet_(numbers_["agents"], collector_.address()) {}

  bool Run() {
    return collector_.Start() && Connect() && Idle() && Throughput() && Noisy() && Herd() &&
           Check();
  }

 private:
  // Seconds until `done`; negative after the deadline.
  double Until(const std::function<bool()>& done) const {
    const auto begin = Clock::now();
    const auto deadline = begin + std::chrono::seconds(numbers_.at("deadline"));
    while (!done()) {
      if (Clock::now() > deadline) {
        std::fprintf(stderr, "fleet_bench: connected %zu of %zu, unacknowledged %lu\n",
                     fleet_.Connected(), fleet_.size(), fleet_.Unacknowledged());
        return -1;
      }
      std::this_thread::sleep_for(kLook);
    }
    return std::chrono::duration<double>(Clock::now() - begin).count();
  }
  double UntilConnected() const {
    return Until([this] { return fleet_.Connected() == fleet_.size(); });
  }
  double UntilAcknowledged() const {
    return Until([this] { return fleet_.Unacknowledged() == 0; });
  }
  static void Print(const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  }

  bool Connect() {
    fleet_.Start();
    const double seconds = UntilConnected();
    Print(fmt::format(R"({{"phase":"connect","agents":{},"seconds":{:.2f}}})", fleet_.size(),
                      seconds));
    return seconds >= 0;
  }

  bool Idle() {
    const auto duration = std::chrono::seconds(numbers_.at("idle"));
    const double before = collector_.CpuSeconds();
    std::this_thread::sleep_for(duration);
    const double cpu = collector_.CpuSeconds() - before;
    Print(fmt::format(
        R"({{"phase":"idle","agents":{},"seconds":{},"cpu_percent":{:.1f},"rss_mib":{:.0f}}})",
        fleet_.size(), duration.count(),
        100 * cpu / static_cast<double>(std::max<int64_t>(duration.count(), 1)),
        collector_.ResidentMib()));
    return fleet_.Connected() == fleet_.size();
  }

  bool Throughput() {
    const double before = collector_.CpuSeconds();
    const auto begin = Clock::now();
    fleet_.InsertEverywhere(numbers_.at("events"));
    if (UntilAcknowledged() < 0) {
      return false;
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    const double rate = static_cast<double>(numbers_.at("events")) / seconds;
    Print(fmt::format(
        R"({{"phase":"throughput","events":{},"seconds":{:.2f},"events_per_second":{:.0f},)"
        R"("collector_cpu_seconds":{:.2f},"rss_mib":{:.0f}}})",
        numbers_.at("events"), seconds, rate, collector_.CpuSeconds() - before,
        collector_.ResidentMib()));
    if (rate < static_cast<double>(numbers_.at("rate"))) {
      std::fprintf(stderr, "fleet_bench: %.0f events a second; %lu are the least\n", rate,
                   numbers_.at("rate"));
      return false;
    }
    return true;
  }

  // One agent has very much to say; all others say one thing each.
  bool Noisy() {
    fleet_.Insert(0, numbers_.at("noisy"));
    const auto begin = Clock::now();
    for (size_t i = 1; i < fleet_.size(); ++i) {
      fleet_.Insert(i, 1);
    }
    const double others = Until([this] { return fleet_.UnacknowledgedBut(0) == 0; });
    const uint64_t left = fleet_.Unacknowledged(0);
    const double all = UntilAcknowledged();
    Print(
        fmt::format(R"({{"phase":"noisy","events":{},"others_seconds":{:.2f},"noisy_left_then":{},)"
                    R"("all_seconds":{:.2f}}})",
                    numbers_.at("noisy"), others, left,
                    std::chrono::duration<double>(Clock::now() - begin).count()));
    return others >= 0 && all >= 0;
  }

  // Killed in the middle of a burst; more happens while it is away.
  bool Herd() {
    const uint64_t burst = numbers_.at("events") / 2;
    const uint64_t sent = fleet_.Sent();
    fleet_.InsertEverywhere(burst);
    collector_.Kill();
    const uint64_t acknowledged_at_kill = burst - fleet_.Unacknowledged();
    fleet_.InsertEverywhere(burst / 10);
    std::this_thread::sleep_for(std::chrono::seconds(numbers_.at("down")));
    const auto begin = Clock::now();
    if (!collector_.Start()) {
      return false;
    }
    const double connected = UntilConnected();
    const double acknowledged = UntilAcknowledged();
    Print(fmt::format(
        R"({{"phase":"herd","agents":{},"down_seconds":{},"events":{},"acknowledged_at_kill":{},)"
        R"("connected_seconds":{:.2f},"acknowledged_seconds":{:.2f},"sent_again":{}}})",
        fleet_.size(), numbers_.at("down"), burst + burst / 10, acknowledged_at_kill, connected,
        std::chrono::duration<double>(Clock::now() - begin).count(),
        static_cast<int64_t>(fleet_.Sent() - sent) - static_cast<int64_t>(burst + burst / 10)));
    return connected >= 0 && acknowledged >= 0;
  }

  // What the collector has, as a client gets it.
  bool Check() {
    std::vector<int> seen(fleet_.inserted(), 0);
    const auto events = v1::EventService::NewStub(
        grpc::CreateChannel(collector_.address(), grpc::InsecureChannelCredentials()));
    v1::ListEventsRequest request;
    request.set_page_size(1000);
    uint64_t strangers = 0;
    for (uint64_t pages = 0; pages <= fleet_.inserted(); ++pages) {
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
      v1::ListEventsResponse response;
      if (const auto status = events->ListEvents(&context, request, &response); !status.ok()) {
        std::fprintf(stderr, "fleet_bench: list: %s\n", status.error_message().c_str());
        return false;
      }
      for (const v1::Event& event : response.events()) {
        const uint64_t number = std::strtoull(event.event_id().c_str(), nullptr, 10);
        if (number < seen.size()) {
          ++seen[number];
        } else {
          ++strangers;
        }
      }
      request.set_page_token(response.next_page_token());
      if (request.page_token().empty()) {
        break;
      }
    }
    const auto lost = std::count(seen.begin(), seen.end(), 0);
    const auto twice = std::count_if(seen.begin(), seen.end(), [](int times) { return times > 1; });
    Print(fmt::format(
        R"({{"phase":"check","events":{},"lost":{},"twice":{},"strangers":{},"rejected":{}}})",
        seen.size(), lost, twice, strangers, fleet_.Rejected()));
    return lost == 0 && twice == 0 && strangers == 0 && fleet_.Rejected() == 0;
  }

  std::map<std::string, uint64_t> numbers_;
  CollectorProcess collector_;
  Fleet fleet_;
};

int Main(int argc, char** argv) {
  std::string program;
  const auto numbers = Numbers(argc, argv, &program);
  spdlog::set_level(spdlog::level::off);  // the uplinks of thousands of agents
  // A socket for every agent, and more for gRPC itself.
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  std::string directory = (std::filesystem::temp_directory_path() / "oombox-fleet-XXXXXX").string();
  if (::mkdtemp(directory.data()) == nullptr) {
    std::perror("fleet_bench");
    return 1;
  }
  const bool good = Bench(program, directory, numbers).Run();
  std::filesystem::remove_all(directory);
  return good ? 0 : 1;
}

}  // namespace
}  // namespace oombox

int main(int argc, char** argv) { return oombox::Main(argc, argv); }
