#include "agent/identity/owner.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

namespace oombox {

namespace {

using Labels = std::map<std::string, std::string>;

std::string_view Label(const Labels& labels, const std::string& name) {
  const auto found = labels.find(name);
  return found == labels.end() ? std::string_view() : std::string_view(found->second);
}

bool IsAlphanumeric(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  });
}

bool IsDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

struct Split {
  std::string_view head;
  std::string_view tail;
};

// "a-b-c" at its last dash: "a-b" and "c".
std::optional<Split> AtLastDash(std::string_view name) {
  const size_t dash = name.rfind('-');
  if (dash == std::string_view::npos || dash == 0 || dash + 1 == name.size()) {
    return std::nullopt;
  }
  return Split{name.substr(0, dash), name.substr(dash + 1)};
}

// The name of a generated pod without the five characters at its end (names.SimpleNameGenerator).
std::string_view WithoutRandomEnd(std::string_view pod_name) {
  const auto split = AtLastDash(pod_name);
  return split && split->tail.size() == 5 && IsAlphanumeric(split->tail) ? split->head
                                                                         : std::string_view();
}

std::string Owner(const char* kind, std::string_view name) {
  return name.empty() ? std::string() : std::string(kind) + "/" + std::string(name);
}

// <deployment>-<pod-template-hash>-<random>
std::string Deployment(std::string_view pod_name, const Labels& labels) {
  const std::string_view hash = Label(labels, "pod-template-hash");
  const auto split = AtLastDash(WithoutRandomEnd(pod_name));
  return !hash.empty() && split && split->tail == hash ? Owner("deployment", split->head)
                                                       : std::string();
}

// The CronJob controller ends a job's name with its scheduled time in minutes since the epoch
// (cronjob/utils.go, getJobName). The pod is made then, or when a missed start is made up for.
bool IsScheduledMinute(std::string_view text, int64_t created_wall_ns) {
  constexpr int64_t kMinuteNs = 60'000'000'000;
  constexpr int64_t kMadeUpFor = int64_t{7} * 24 * 60;
  constexpr int64_t kClockSlack = 10;
  int64_t minute = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), minute);
  const int64_t created = created_wall_ns / kMinuteNs;
  return IsDigits(text) && error == std::errc() && end == text.data() + text.size() &&
         minute > created - kMadeUpFor && minute < created + kClockSlack;
}

// <job>-<random>, or <job>-<index>-<random> of an indexed one.
std::string Job(std::string_view pod_name, const Labels& labels, int64_t created_wall_ns) {
  std::string_view job = Label(labels, "batch.kubernetes.io/job-name");
  if (job.empty()) {
    job = Label(labels, "job-name");
  }
  if (job.empty() || !pod_name.starts_with(job) || pod_name.substr(job.size(), 1) != "-") {
    return {};
  }
  const auto split = AtLastDash(job);
  return split && IsScheduledMinute(split->tail, created_wall_ns) ? Owner("cronjob", split->head)
                                                                  : Owner("job", job);
}

// <statefulset>-<ordinal>
std::string StatefulSet(std::string_view pod_name, const Labels& labels) {
  const auto split = AtLastDash(pod_name);
  return split && IsDigits(split->tail) &&
                 Label(labels, "statefulset.kubernetes.io/pod-name") == pod_name
             ? Owner("statefulset", split->head)
             : std::string();
}

// <daemonset>-<random>; a StatefulSet's revision begins with its name, a DaemonSet's is a hash.
std::string DaemonSet(std::string_view pod_name, const Labels& labels) {
  return IsAlphanumeric(Label(labels, "controller-revision-hash")) &&
                 IsDigits(Label(labels, "pod-template-generation"))
             ? Owner("daemonset", WithoutRandomEnd(pod_name))
             : std::string();
}

}  // namespace

std::string OwnerOf(const std::string& pod_name, const Labels& sandbox_labels,
                    int64_t created_wall_ns) {
  for (const auto owner : {Deployment, StatefulSet, DaemonSet}) {
    if (std::string found = owner(pod_name, sandbox_labels); !found.empty()) {
      return found;
    }
  }
  return Job(pod_name, sandbox_labels, created_wall_ns);
}

}  // namespace oombox
