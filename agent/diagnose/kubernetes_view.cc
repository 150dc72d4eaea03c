#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "agent/diagnose/parts.h"
#include "agent/diagnose/words.h"

namespace oombox {

namespace {

// What `kubectl describe pod` has of the exit.
std::string ShownExit(const v1::Container& container) {
  const std::string reason =
      container.exit_reason().empty() ? "no reason" : "reason " + container.exit_reason();
  return fmt::format("kubectl describe shows the container terminated, {}, exit code {}", reason,
                     container.exit_code());
}

bool FirstProcessDied(const v1::OomEvent& oom) {
  return std::any_of(oom.victims().begin(), oom.victims().end(),
                     [](const v1::Victim& victim) { return victim.container_init(); });
}

std::string VictimWords(const v1::OomEvent& oom) {
  if (oom.victims().empty()) {
    return "which process was killed";
  }
  const v1::Victim& victim = oom.victims(0);
  return fmt::format("that it was {}",
                     ProcessWords(victim.comm(), victim.namespace_pid(), victim.tgid()));
}

// All who were killed are known, and none was process 1 of a pid namespace below the node's.
bool KilledOthersOnly(const v1::OomEvent& oom) {
  return oom.quality().provenance() == v1::PROVENANCE_AT_KILL && !oom.victims().empty() &&
         oom.victims_total() == static_cast<uint32_t>(oom.victims_size()) &&
         std::all_of(oom.victims().begin(), oom.victims().end(), [](const v1::Victim& victim) {
           return victim.namespace_pid() > 1 && victim.namespace_pid() != victim.tgid();
         });
}

std::string Confirmed(const v1::OomEvent& oom) {
  if (KilledOthersOnly(oom)) {
    return fmt::format(
        "{}; the process that the kernel killed was not process 1 there: the container may have "
        "ended for another reason, or for want of it",
        ShownExit(oom.container()));
  }
  return fmt::format("{}; it does not show {}, nor whose limit fired", ShownExit(oom.container()),
                     VictimWords(oom));
}

std::string Missed(const v1::OomEvent& oom) {
  if (oom.container().has_exit_code()) {
    return ShownExit(oom.container()) + ": nothing there tells of the OOM kill";
  }
  return FirstProcessDied(oom)
             ? "kubectl describe shows the container running: process 1 of a pid namespace was "
               "killed; either it was not the container's own, or the runtime has not noticed"
             : "kubectl describe shows nothing: the killed process was not the container's first, "
               "and the container runs on";
}

std::string SenderWords(const v1::NoKillEvent& no_kill) {
  const v1::NoKillProcess& sender = no_kill.sender();
  return ProcessWords(sender.comm(), sender.namespace_pid(), sender.tgid());
}

std::string NoKillView(const v1::NoKillEvent& no_kill) {
  const v1::Container& container = no_kill.container();
  if (no_kill.kubernetes_verdict() == v1::KUBERNETES_VERDICT_KUBERNETES_FALSE_POSITIVE) {
    return fmt::format("{}, but the kernel killed it for no memory: the signal came from {}",
                       ShownExit(container), SenderWords(no_kill));
  }
  return container.has_exit_code()
             ? fmt::format("{}: no OOM, and not who sent the signal", ShownExit(container))
             : std::string();
}

}  // namespace

void DescribeKubernetes(const v1::Event& event, v1::Diagnosis* diagnosis) {
  if (event.has_no_kill()) {
    if (std::string view = NoKillView(event.no_kill()); !view.empty()) {
      diagnosis->add_details(std::move(view));
    }
  } else if (event.oom().kubernetes_verdict() == v1::KUBERNETES_VERDICT_CONFIRMED) {
    diagnosis->add_details(Confirmed(event.oom()));
  } else if (event.oom().kubernetes_verdict() == v1::KUBERNETES_VERDICT_KUBERNETES_MISSED) {
    diagnosis->add_details(Missed(event.oom()));
  }
}

}  // namespace oombox
