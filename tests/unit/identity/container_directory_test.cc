#include "agent/identity/container_directory.h"

#include <gtest/gtest.h>

namespace oombox {
namespace {

using namespace std::chrono_literals;

constexpr ContainerDirectory::Time kNow{1h};

RuntimeContainer Called(const std::string& id, const std::string& name) {
  return {.container_id = id, .container_name = name};
}

TEST(ContainerDirectoryTest, RemembersWhatIsGoneForAWhile) {
  ContainerDirectory directory({.remember = 600s});
  directory.PutAll({Called("a", "worker"), Called("b", "web")}, kNow);
  directory.PutAll({Called("b", "web")}, kNow + 60s);

  ASSERT_NE(directory.Find("a", kNow + 660s), nullptr);
  EXPECT_EQ(directory.Find("a", kNow + 660s)->container_name, "worker");
  EXPECT_EQ(directory.Find("a", kNow + 661s), nullptr);
  EXPECT_NE(directory.Find("b", kNow + 24h), nullptr);
}

TEST(ContainerDirectoryTest, ForgetsTheLongestGoneOfTooMany) {
  ContainerDirectory directory({.gone = 2});
  for (const char* id : {"a", "b", "c"}) {
    directory.Put(Called(id, id), kNow);
  }
  directory.Gone("b", kNow + 1s);
  directory.Gone("a", kNow + 2s);
  directory.Gone("c", kNow + 3s);

  EXPECT_EQ(directory.Find("b", kNow + 4s), nullptr);
  EXPECT_NE(directory.Find("a", kNow + 4s), nullptr);
  EXPECT_NE(directory.Find("c", kNow + 4s), nullptr);
  EXPECT_EQ(directory.gone(), 2U);
}

TEST(ContainerDirectoryTest, LearnsNoMoreThanItMayHold) {
  ContainerDirectory directory({.there = 2});
  directory.PutAll({Called("a", "a"), Called("b", "b"), Called("c", "c"), Called("", "")}, kNow);

  EXPECT_EQ(directory.there(), 2U);
  EXPECT_EQ(directory.refused(), 2U);
  EXPECT_EQ(directory.Find("c", kNow), nullptr);
}

TEST(ContainerDirectoryTest, KeepsWhatAListingDoesNotTell) {
  ContainerDirectory directory({});
  RuntimeContainer known = Called("a", "worker");
  known.memory_limit_bytes = 64 << 20;
  known.knobs = {{"WORKERS", 4}};
  directory.Put(known, kNow);

  directory.PutAll({Called("a", "worker")}, kNow);

  EXPECT_EQ(directory.Find("a", kNow)->memory_limit_bytes, 64U << 20);
  EXPECT_EQ(directory.Find("a", kNow)->knobs.size(), 1U);
}

TEST(ContainerDirectoryTest, KeepsThePodsWordOfASandboxThatIsNotListed) {
  ContainerDirectory directory({});
  RuntimeContainer sandboxed = Called("a", "worker");
  sandboxed.runtime_handler = "runsc";
  directory.Put(sandboxed, kNow);

  directory.Put(Called("a", "worker"), kNow);

  EXPECT_EQ(directory.Find("a", kNow)->runtime_handler, "runsc");
}

TEST(ContainerDirectoryTest, TakesBackWhatIsListedAgain) {
  ContainerDirectory directory({.remember = 1s});
  directory.Put(Called("a", "worker"), kNow);
  directory.Gone("a", kNow);
  directory.Put(Called("a", "worker"), kNow);

  EXPECT_NE(directory.Find("a", kNow + 1h), nullptr);
  EXPECT_EQ(directory.gone(), 0U);
}

}  // namespace
}  // namespace oombox
