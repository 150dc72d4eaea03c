#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/diagnose/fixture.h"

namespace oombox {
namespace {

using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::Not;

v1::Event Judged(v1::KubernetesVerdict verdict) {
  v1::Event event = ContainerKill();
  event.mutable_oom()->set_kubernetes_verdict(verdict);
  return event;
}

void Exit(const std::string& reason, int code, v1::Container* container) {
  container->set_exit_reason(reason);
  container->set_exit_code(code);
}

TEST(KubernetesViewTest, SaysWhatAConfirmedKillStillHides) {
  v1::Event event = Judged(v1::KUBERNETES_VERDICT_CONFIRMED);
  Exit("OOMKilled", 137, event.mutable_oom()->mutable_container());

  EXPECT_THAT(
      Diagnose(event).details(),
      Contains(
          "kubectl describe shows the container terminated, reason OOMKilled, exit code 137; it "
          "does not show that it was python3[31], nor whose limit fired"));
}

TEST(KubernetesViewTest, SaysThatAnExitIsNotThatOfTheKilledChild) {
  v1::Event event = Judged(v1::KUBERNETES_VERDICT_CONFIRMED);
  Exit("OOMKilled", 0, event.mutable_oom()->mutable_container());
  event.mutable_oom()->mutable_victims(0)->set_namespace_pid(7);

  EXPECT_THAT(Diagnose(event).details(), Contains(HasSubstr("was not process 1 there")));
}

TEST(KubernetesViewTest, SaysThatAChildsDeathIsNotShownAtAll) {
  v1::Event event = Judged(v1::KUBERNETES_VERDICT_KUBERNETES_MISSED);
  event.mutable_oom()->mutable_container()->set_survived(true);

  EXPECT_THAT(Diagnose(event).details(),
              Contains(HasSubstr("kubectl describe shows nothing: the killed process was not the "
                                 "container's first")));
}

TEST(KubernetesViewTest, DoesNotSayWhoseFirstProcessItWas) {
  v1::Event event = Judged(v1::KUBERNETES_VERDICT_KUBERNETES_MISSED);
  event.mutable_oom()->mutable_container()->set_survived(true);
  event.mutable_oom()->mutable_victims(0)->set_container_init(true);

  EXPECT_THAT(Diagnose(event).details(),
              Contains(HasSubstr("either it was not the container's own, or the runtime")));
}

TEST(KubernetesViewTest, SaysWhenKubernetesShowsAnotherReason) {
  v1::Event event = Judged(v1::KUBERNETES_VERDICT_KUBERNETES_MISSED);
  Exit("Error", 1, event.mutable_oom()->mutable_container());

  EXPECT_THAT(
      Diagnose(event).details(),
      Contains("kubectl describe shows the container terminated, reason Error, exit code 1: "
               "nothing there tells of the OOM kill"));
}

TEST(KubernetesViewTest, SaysNothingWithoutAVerdict) {
  EXPECT_THAT(Diagnose(ContainerKill()).details(), Each(Not(HasSubstr("kubectl"))));
}

v1::Event Signalled(v1::KubernetesVerdict verdict, const std::string& reason) {
  v1::Event event;
  v1::NoKillEvent* no_kill = event.mutable_no_kill();
  no_kill->set_kind(v1::NoKillEvent::KIND_INIT_KILLED);
  no_kill->mutable_sender()->set_comm("kill");
  no_kill->mutable_sender()->set_tgid(9);
  no_kill->set_kubernetes_verdict(verdict);
  Exit(reason, 137, no_kill->mutable_container());
  return event;
}

TEST(KubernetesViewTest, TellsAFalseOomFromOne) {
  EXPECT_THAT(
      Diagnose(Signalled(v1::KUBERNETES_VERDICT_KUBERNETES_FALSE_POSITIVE, "OOMKilled")).details(),
      Contains(HasSubstr("the kernel killed it for no memory: the signal came from kill[9]")));
  EXPECT_THAT(Diagnose(Signalled(v1::KUBERNETES_VERDICT_SIGKILL_NOT_OOM, "Error")).details(),
              Contains(HasSubstr("exit code 137: no OOM, and not who sent the signal")));
}

}  // namespace
}  // namespace oombox
