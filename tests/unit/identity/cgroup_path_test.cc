#include "agent/identity/cgroup_path.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace oombox {
namespace {

using enum CgroupKind;

constexpr const char* kId = "bacb920470900725e0aa7d914fee5eb0854315448b024b6b8420ad8429c607ba";
constexpr const char* kUid = "4c9f1974-5c46-44c2-b42f-3bbf0e98eef9";

std::vector<std::string> Columns(const std::string& line) {
  std::vector<std::string> columns;
  std::stringstream in(line);
  for (std::string column; std::getline(in, column, '\t');) {
    columns.push_back(column);
  }
  return columns;
}

std::string NameOf(CgroupDriver driver) {
  switch (driver) {
    case CgroupDriver::kSystemd:
      return "systemd";
    case CgroupDriver::kCgroupfs:
      return "cgroupfs";
    case CgroupDriver::kMismatch:
      return "mismatch";
    case CgroupDriver::kUnknown:
      break;
  }
  return "unknown";
}

// What the file calls it.
std::string QosWord(const CgroupIdentity& identity) {
  static const std::map<std::string, std::string> kWords = {
      {"Guaranteed", "guaranteed"}, {"Burstable", "burstable"}, {"BestEffort", "besteffort"}};
  const auto word = kWords.find(identity.qos_class);
  return word != kWords.end() ? word->second : "unknown";
}

// Paths of real nodes, with where each was seen.
TEST(CgroupPathTest, ReadsThePathsOfTheFieldAsTheyAre) {
  std::ifstream file(OOMBOX_CGROUP_PATHS);
  std::string line;
  std::getline(file, line);  // the header
  size_t paths = 0;
  while (std::getline(file, line)) {
    const auto want = Columns(line);
    ASSERT_EQ(want.size(), 7U) << line;
    const CgroupIdentity identity = IdentifyCgroup(want[0]);

    EXPECT_EQ(identity.pod_uid, want[4]) << want[0];
    EXPECT_EQ(identity.container_id, want[5]) << want[0];
    EXPECT_EQ(NameOf(identity.driver), want[1]) << want[0];
    if (!want[2].empty() || !identity.runtime_name.empty()) {
      EXPECT_EQ(identity.runtime_name.empty() ? "unknown" : identity.runtime_name, want[2])
          << want[0];
    }
    EXPECT_EQ(QosWord(identity), want[3].empty() ? "unknown" : want[3]) << want[0];
    ++paths;
  }
  EXPECT_EQ(paths, 49U);
}

struct Shape {
  std::string path;
  CgroupKind kind;
};

TEST(CgroupPathTest, TellsAContainerFromWhatIsAboveBelowAndBesideIt) {
  const std::string id = kId;
  const std::string slice =
      "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod"
      "4c9f1974_5c46_44c2_b42f_3bbf0e98eef9.slice";
  const std::vector<Shape> shapes = {
      {"/", kRoot},
      {"", kUnknown},
      {slice, kPod},
      {slice + "/crio-" + id + ".scope", kContainer},
      {slice + "/crio-" + id + ".scope/container", kInContainer},
      {slice + "/crio-conmon-" + id + ".scope", kMonitor},
      {slice + "/something", kInPod},
      {"/kubepods.slice", kNodeAllocatable},
      {"/kubelet.slice/kubelet-kubepods.slice", kNodeAllocatable},
      {"/kubepods.slice/kubepods-besteffort.slice", kQosClass},
      {"/kubepods/burstable", kQosClass},
      {"/kubepods", kNodeAllocatable},
      {"/machine.slice/libpod-" + id + ".scope/container", kInContainer},
      {"/machine.slice/libpod-conmon-" + id + ".scope", kMonitor},
      {"/docker/" + id, kContainer},
      {"/system.slice/nginx.service", kSystem},
      {"/user.slice/user-1000.slice/session-3.scope", kSystem},
      {"/init.scope", kSystem},
      {"/burstable", kUnknown},
      {"/" + id, kUnknown},  // an id alone could be anything
      {"/lxc/web", kUnknown},
      {"/kubepodsy/pod", kUnknown},
      {"/pod" + std::string(kUid, 35), kUnknown},
  };
  for (const Shape& shape : shapes) {
    EXPECT_EQ(IdentifyCgroup(shape.path).kind, shape.kind) << shape.path;
  }
}

TEST(CgroupPathTest, NamesTheUnitOfWhatIsNoContainer) {
  EXPECT_EQ(IdentifyCgroup("/system.slice/nginx.service").unit, "nginx.service");
  EXPECT_EQ(IdentifyCgroup("/system.slice/nginx.service/worker").unit, "nginx.service");
  EXPECT_EQ(IdentifyCgroup("/user.slice/user-1000.slice/session-3.scope").unit, "session-3.scope");
  EXPECT_EQ(IdentifyCgroup("/user.slice/user-1000.slice").unit, "user-1000.slice");
}

TEST(CgroupPathTest, KnowsAKataSandbox) {
  const auto identity =
      IdentifyCgroup("/kubepods/burstable/pod" + std::string(kUid) + "/kata_" + kId);

  EXPECT_TRUE(identity.sandboxed);
  EXPECT_EQ(identity.container_id, "");
}

TEST(CgroupPathTest, TakesNoLongerOrShorterIdForAContainers) {
  const std::string pod = "/kubepods/pod" + std::string(kUid) + "/";
  for (const std::string& name :
       {std::string(kId).substr(1), std::string(kId) + "0", "docker-" + std::string(kId) + "x",
        "DOCKER-" + std::string(kId), std::string(64, 'g')}) {
    EXPECT_EQ(IdentifyCgroup(pod + name).container_id, "") << name;
    EXPECT_EQ(IdentifyCgroup(pod + name).pod_uid, kUid);
  }
}

}  // namespace
}  // namespace oombox
