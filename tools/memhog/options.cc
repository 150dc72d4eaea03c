#include "tools/memhog/options.h"

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "tools/memhog/unescape.h"

namespace oombox {
namespace {

constexpr int kExitUsage = 2;
constexpr uint64_t kMebibyte = 1 << 20;
constexpr uint64_t kDefaultLimit = 64 * kMebibyte;
constexpr uint64_t kDefaultStormLimit = 16 * kMebibyte;

void AddCommon(CLI::App& app, Options* options, std::string* comm) {
  const auto size = CLI::AsSizeValue(false);
  app.add_option("--limit", options->limit_bytes, "memory limit (64Mi; storm 16Mi)")
      ->transform(size)
      ->check(CLI::Range(uint64_t{2 * kMebibyte}, uint64_t{1} << 40));
  app.add_option("--parent", options->parent, "cgroup to work in (default: memhog's own)");
  app.add_option("--name", options->name, "name of the new cgroup (default: memhog-PID)");
  app.add_option("--timeout", options->timeout_seconds, "seconds to wait for a kill")
      ->check(CLI::Range(1, 86400));
  app.add_flag("--hold", options->hold,
               "after the report, keep the cgroup until a newline on standard input");
  if (comm == nullptr) {
    return;
  }
  app.add_option("--step", options->step_bytes, "bytes mapped at a time (1Mi)")
      ->transform(size)
      ->check(CLI::Range(uint64_t{4096}, uint64_t{1} << 30));
  app.add_option("--comm", *comm, "name of the hog, up to 15 bytes; \\xNN, \\n, \\t, \\\\");
  app.add_option("--uid", options->uid, "user id of the hog and the neighbour");
  app.add_option("--oom-score-adj", options->oom_score_adj, "of the hog (500)")
      ->check(CLI::Range(-1000, 1000));
  app.add_flag("--pid-namespace", options->pid_namespace, "the hog is process 1 of a new one");
  app.add_option("--bind-node", options->bind_node, "the hog takes memory of this NUMA node only")
      ->check(CLI::Range(0, 63));
}

void AddStorm(CLI::App& app, Options* options, std::string* comm) {
  CLI::App* storm = app.add_subcommand("storm", "many kills in a row, each its own process");
  AddCommon(*storm, options, comm);
  storm->add_option("--kills", options->kills, "how many")
      ->required()
      ->check(CLI::Range(uint64_t{1}, uint64_t{100000}));
  storm->add_flag("--same-cgroup", options->same_cgroup, "one cgroup for all of them");
  storm->add_option("--pause-ms", options->pause_ms, "between two kills (0)")
      ->check(CLI::Range(0, 60000));
}

void AddScenarios(CLI::App& app, Options* options, std::string* comm) {
  app.require_subcommand(1);
  AddCommon(*app.add_subcommand("grow", "one process grows to the limit"), options, comm);

  CLI::App* neighbour =
      app.add_subcommand("neighbour", "a hog grows beside an innocent, idle process that survives");
  AddCommon(*neighbour, options, comm);
  neighbour->add_option("--neighbour-bytes", options->neighbour_bytes, "its memory (limit / 4)")
      ->transform(CLI::AsSizeValue(false));

  AddCommon(*app.add_subcommand("child", "a child process dies, its parent lives"), options, comm);

  AddCommon(*app.add_subcommand("ancestor", "a limit one level above the hog's own cgroup"),
            options, comm);
  AddCommon(
      *app.add_subcommand("group", "memory.oom.group: the hog and two idle processes die (v2)"),
      options, comm);
  AddCommon(*app.add_subcommand("tmpfs", "a file in shared memory grows, its writer stays small"),
            options, comm);
  AddCommon(*app.add_subcommand("leader", "a thread grows whose thread group's leader has exited"),
            options, comm);
  AddCommon(*app.add_subcommand("sharer", "another process shares the hog's memory (CLONE_VM)"),
            options, comm);
  AddCommon(*app.add_subcommand("init", "the hog is process 1 of a container with two more in it"),
            options, comm);

  AddCommon(*app.add_subcommand("tasks",
                                "a process starts threads until the kernel has no memory "
                                "for another"),
            options, comm);
  AddCommon(*app.add_subcommand("socket", "a process writes to sockets that nobody reads"), options,
            comm);

  CLI::App* threads = app.add_subcommand("threads", "a hog beside a process of many threads");
  AddCommon(*threads, options, comm);
  threads->add_option("--threads", options->threads, "how many (2000)")
      ->default_val(2000)
      ->check(CLI::Range(1, 30000));

  AddStorm(app, options, comm);

  CLI::App* thrash = app.add_subcommand(
      "thrash", "a program whose code does not fit under the limit; nobody is killed");
  AddCommon(*thrash, options, comm);
  thrash
      ->add_option("--directory", options->directory,
                   "on a disk, for the program's file (/var/tmp)")
      ->default_val("/var/tmp");
  thrash->add_option("--seconds", options->seconds, "for how long (60)")
      ->default_val(60)
      ->check(CLI::Range(1, 86400));

  CLI::App* run = app.add_subcommand("run", "a command of yours under the limit");
  AddCommon(*run, options, nullptr);
  run->add_option("command", options->command, "after --: the command and its arguments")
      ->required();
}

}  // namespace

std::variant<Options, int> ParseOptions(int argc, char** argv) {
  Options options;
  std::string comm;
  CLI::App app(
      "Makes a chosen kind of OOM kill, or of pressure, in a cgroup of its own and reports the "
      "truth as JSON");
  AddScenarios(app, &options, &comm);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  auto raw = Unescape(comm);
  if (!raw) {
    std::cerr << "memhog: --comm: " << raw.error().message << '\n';
    return kExitUsage;
  }
  options.comm = *raw;
  options.scenario = app.get_subcommands().front()->get_name();
  if (options.limit_bytes == 0) {
    options.limit_bytes = options.scenario == "storm" ? kDefaultStormLimit : kDefaultLimit;
  }
  if (options.scenario == "thrash") {
    options.timeout_seconds += options.seconds;  // the wait begins after them
  }
  if (options.name.empty()) {
    options.name = "memhog-" + std::to_string(::getpid());
  }
  if (options.name.find('/') != std::string::npos) {
    std::cerr << "memhog: --name: a cgroup's name has no '/'; see --parent\n";
    return kExitUsage;
  }
  return options;
}

}  // namespace oombox
