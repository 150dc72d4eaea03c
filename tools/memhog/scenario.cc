#include "tools/memhog/scenario.h"

#include <chrono>
#include <map>
#include <string>
#include <thread>

namespace oombox {
namespace {

// Room to grow past the limit, so that only the kernel can end it.
uint64_t BeyondLimit(const Options& options) { return 2 * options.limit_bytes + (64 << 20); }

WorkerSpec Hog(const Options& options) {
  WorkerSpec spec;
  spec.role = "hog";
  spec.job = Job::kGrow;
  spec.bytes = BeyondLimit(options);
  spec.step_bytes = options.step_bytes;
  spec.comm = options.comm;
  spec.uid = options.uid;
  spec.oom_score_adj = options.oom_score_adj;
  spec.pid_namespace = options.pid_namespace;
  spec.bind_node = options.bind_node;
  return spec;
}

Status RunHog(const WorkerSpec& hog, Stage& stage) {
  OOMBOX_TRY(const size_t worker, stage.Launch(hog, nullptr, true));
  stage.Go(worker);
  return stage.AwaitDeath(worker);
}

Status PlayHog(const Options& options, const WorkerSpec& hog, Stage& stage) {
  OOMBOX_RETURN_IF_ERROR(stage.AddCgroup(options.name, options.limit_bytes));
  return RunHog(hog, stage);
}

Status PlayGrow(const Options& options, Stage& stage) {
  return PlayHog(options, Hog(options), stage);
}

Status PlayTmpfs(const Options& options, Stage& stage) {
  WorkerSpec writer = Hog(options);
  writer.job = Job::kTmpfs;
  return PlayHog(options, writer, stage);
}

Status PlayTasks(const Options& options, Stage& stage) {
  WorkerSpec hog = Hog(options);
  hog.job = Job::kTasks;
  hog.bytes = options.limit_bytes / 4;  // a thread costs the kernel six times its stack
  return PlayHog(options, hog, stage);
}

Status PlaySocket(const Options& options, Stage& stage) {
  WorkerSpec sender = Hog(options);
  sender.job = Job::kSend;
  return PlayHog(options, sender, stage);
}

Status PlayLeader(const Options& options, Stage& stage) {
  WorkerSpec hog = Hog(options);
  hog.job = Job::kLeave;
  return PlayHog(options, hog, stage);
}

Status PlaySharer(const Options& options, Stage& stage) {
  WorkerSpec hog = Hog(options);
  hog.sharer = true;
  return PlayHog(options, hog, stage);
}

Status PlayInit(const Options& options, Stage& stage) {
  WorkerSpec hog = Hog(options);
  hog.pid_namespace = true;
  hog.children = 2;
  return PlayHog(options, hog, stage);
}

Status PlayGroup(const Options& options, Stage& stage) {
  OOMBOX_RETURN_IF_ERROR(stage.AddCgroup(options.name, options.limit_bytes));
  OOMBOX_RETURN_IF_ERROR(stage.KillAsGroup());
  WorkerSpec hog = Hog(options);
  hog.children = 2;
  return RunHog(hog, stage);
}

Status PlayAncestor(const Options& options, Stage& stage) {
  OOMBOX_RETURN_IF_ERROR(stage.AddCgroup(options.name, options.limit_bytes));
  OOMBOX_RETURN_IF_ERROR(stage.AddCgroupBelow("inner"));
  return RunHog(Hog(options), stage);
}

Status PlayThreads(const Options& options, Stage& stage) {
  OOMBOX_RETURN_IF_ERROR(stage.AddCgroup(options.name, options.limit_bytes));
  WorkerSpec many;
  many.role = "many";
  many.job = Job::kHold;
  many.comm = "many";
  many.threads = options.threads;
  OOMBOX_TRY(const size_t idle, stage.Launch(many, nullptr, false));
  stage.Go(idle);
  OOMBOX_RETURN_IF_ERROR(stage.AwaitDone(idle));
  OOMBOX_RETURN_IF_ERROR(RunHog(Hog(options), stage));
  return stage.Quit(idle);
}

Status PlayNeighbour(const Options& options, Stage& stage) {
  OOMBOX_RETURN_IF_ERROR(stage.AddCgroup(options.name, options.limit_bytes));
  WorkerSpec idle;
  idle.role = "neighbour";
  idle.job = Job::kHold;
  idle.bytes = options.neighbour_bytes != 0 ? options.neighbour_bytes : options.limit_bytes / 4;
  idle.step_bytes = options.step_bytes;
  idle.comm = "neighbour";
  idle.uid = options.uid;
  OOMBOX_TRY(const size_t neighbour, stage.Launch(idle, nullptr, false));
  stage.Go(neighbour);
  OOMBOX_RETURN_IF_ERROR(stage.AwaitDone(neighbour));
  OOMBOX_RETURN_IF_ERROR(RunHog(Hog(options), stage));
  return stage.Quit(neighbour);
}

Status PlayChild(const Options& options, Stage& stage) {
  OOMBOX_RETURN_IF_ERROR(stage.AddCgroup(options.name, options.limit_bytes));
  WorkerSpec spec;
  spec.role = "parent";
  spec.job = Job::kFork;
  spec.comm = "parent";  // and keeps its uid: it has to place its child in the cgroup
  WorkerSpec grandchild = Hog(options);
  grandchild.role = "child";
  if (grandchild.comm.empty()) {
    grandchild.comm = "child";
  }
  OOMBOX_TRY(const size_t parent, stage.Launch(spec, &grandchild, true));
  const size_t child = parent + 1;
  stage.Go(parent);
  OOMBOX_RETURN_IF_ERROR(stage.AwaitChild(child));
  stage.Go(child);
  OOMBOX_RETURN_IF_ERROR(stage.AwaitDone(parent));
  return stage.Quit(parent);
}

Status PlayThrash(const Options& options, Stage& stage) {
  OOMBOX_RETURN_IF_ERROR(stage.AddCgroup(options.name, options.limit_bytes));
  WorkerSpec program = Hog(options);
  program.role = "program";
  program.job = Job::kThrash;
  // Most of it fits: what was pushed out is wanted again soon, the kernel's sign of a thrash. Not
  // nearly all of it: with large folios the kernel finds a working set that stays.
  program.bytes = options.limit_bytes + options.limit_bytes / 8;
  program.directory = options.directory;
  program.seconds = options.seconds;
  OOMBOX_TRY(const size_t worker, stage.Launch(program, nullptr, false));
  stage.Go(worker);
  OOMBOX_RETURN_IF_ERROR(stage.AwaitDone(worker));
  return stage.Quit(worker);
}

Status PlayStorm(const Options& options, Stage& stage) {
  for (uint64_t kill = 1; kill <= options.kills; ++kill) {
    if (kill > 1) {
      std::this_thread::sleep_for(std::chrono::milliseconds(options.pause_ms));
    }
    if (kill == 1 || !options.same_cgroup) {
      const std::string suffix = options.same_cgroup ? "" : "-" + std::to_string(kill);
      OOMBOX_RETURN_IF_ERROR(stage.AddCgroup(options.name + suffix, options.limit_bytes));
    }
    OOMBOX_RETURN_IF_ERROR(RunHog(Hog(options), stage));
  }
  return {};
}

Status PlayRun(const Options& options, Stage& stage) {
  OOMBOX_RETURN_IF_ERROR(stage.AddCgroup(options.name, options.limit_bytes));
  WorkerSpec spec;
  spec.role = "command";
  spec.job = Job::kExec;
  spec.command = options.command;
  OOMBOX_TRY(const size_t command, stage.Launch(spec, nullptr, true));
  stage.Go(command);
  OOMBOX_RETURN_IF_ERROR(stage.AwaitExec(command));
  return stage.AwaitDeathForever(command);
}

}  // namespace

size_t WorkersOf(const Options& options) {
  return options.scenario == "storm" ? static_cast<size_t>(options.kills) : 2;
}

Status Play(const Options& options, Stage& stage) {
  static const std::map<std::string, Status (*)(const Options&, Stage&)> kScenarios = {
      {"ancestor", PlayAncestor},   {"child", PlayChild},   {"group", PlayGroup},
      {"grow", PlayGrow},           {"init", PlayInit},     {"leader", PlayLeader},
      {"neighbour", PlayNeighbour}, {"run", PlayRun},       {"sharer", PlaySharer},
      {"socket", PlaySocket},       {"storm", PlayStorm},   {"tasks", PlayTasks},
      {"threads", PlayThreads},     {"thrash", PlayThrash}, {"tmpfs", PlayTmpfs}};
  return kScenarios.at(options.scenario)(options, stage);
}

}  // namespace oombox
