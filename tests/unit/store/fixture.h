#pragma once

#include <fmt/format.h>
#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "oombox/v1/event.pb.h"

namespace oombox {

// A directory of its own for one test, removed with it.
class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "oombox-test-XXXXXX").string();
    path_ = ::mkdtemp(name.data()) != nullptr ? name : std::string();
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string File(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A well-formed event id made of a number; consecutive numbers share a long prefix.
inline std::string TestId(uint64_t number) { return fmt::format("{:016}", number); }

// An OOM event of one victim in a container's cgroup, `number` seconds after a fixed moment.
inline v1::Event TestOom(uint64_t number, uint32_t revision = 1) {
  constexpr int64_t kStart = 1'760'000'000;
  v1::Event event;
  event.set_event_id(TestId(number));
  event.set_revision(revision);
  event.mutable_event_time()->set_seconds(kStart + static_cast<int64_t>(number));
  event.mutable_node()->set_node_name("node-1");
  event.mutable_node()->set_cluster_name("test");
  v1::OomEvent* oom = event.mutable_oom();
  oom->set_workload("/kubepods/pod*/worker");
  oom->set_victims_total(1);
  v1::Victim* victim = oom->add_victims();
  victim->set_tgid(static_cast<uint32_t>(1000 + number));
  victim->set_comm("python3");
  for (const char* path : {"/kubepods/pod1/worker", "/kubepods/pod1", "/kubepods", "/"}) {
    oom->add_cgroups()->set_path(path);
  }
  return event;
}

}  // namespace oombox
