#include <fmt/format.h>

#include "agent/diagnose/parts.h"

namespace oombox {

namespace {

std::string Name(const v1::NoKillProcess& process) {
  return fmt::format("{}[{}]", process.comm().empty() ? "?" : process.comm(), process.tgid());
}

std::string Place(const v1::NoKillProcess& process) {
  return process.cgroup_tail().empty() ? "a cgroup whose name is not known"
                                       : "cgroup .../" + process.cgroup_tail();
}

}  // namespace

void DiagnoseNoKill(const v1::NoKillEvent& no_kill, v1::Diagnosis* diagnosis) {
  const v1::NoKillProcess& process = no_kill.process();
  diagnosis->set_confidence(v1::CONFIDENCE_HIGH);
  switch (no_kill.kind()) {
    case v1::NoKillEvent::KIND_INIT_KILLED:
      diagnosis->set_verdict(
          fmt::format("no OOM: {} sent SIGKILL to {}, the first process of a container",
                      Name(no_kill.sender()), Name(process)));
      diagnosis->add_details("in " + Place(process));
      diagnosis->add_details(
          "the container ends with exit code 137, as after an OOM kill; look at who "
          "stopped it (the runtime after a failed probe or a grace period that ran out)");
      break;
    case v1::NoKillEvent::KIND_ALREADY_DYING:
      diagnosis->set_verdict(
          fmt::format("no kill: memory ran out while {} was dying already; it was only let finish",
                      Name(process)));
      diagnosis->add_details("in " + Place(process));
      break;
    case v1::NoKillEvent::KIND_NO_VICTIM:
      diagnosis->set_verdict(
          fmt::format("memory ran out and the kernel found nobody it may kill; {} asked for it",
                      Name(process)));
      diagnosis->add_details("in " + Place(process));
      diagnosis->add_details(
          "every process there has oom_score_adj -1000, or none is left: the memory "
          "is tmpfs, page cache under write or the kernel's; allocations fail until "
          "the limit is raised or the memory is given back");
      break;
    default:
      diagnosis->set_verdict("no kill, of a kind that this version does not know");
      diagnosis->set_confidence(v1::CONFIDENCE_LOW);
      break;
  }
}

}  // namespace oombox
