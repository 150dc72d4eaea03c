#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace oombox {

// A setting that decides how much memory a program takes, as it stands in its environment or on its
// command line: "WEB_CONCURRENCY", 4. Nothing else of the environment is kept.
struct Knob {
  std::string name = {};
  int64_t value = 0;

  bool operator==(const Knob&) const = default;
};

// What the runtime says of the end of a container.
struct RuntimeExit {
  std::string reason = {};  // "OOMKilled", "Error", "Completed", ...
  int32_t exit_code = 0;
  int64_t finished_wall_ns = 0;

  bool operator==(const RuntimeExit&) const = default;
};

// What the container runtime says of a container. Strings are arbitrary bytes of at most some
// hundred: whoever can make a pod writes most of them.
struct RuntimeContainer {
  std::string container_id = {};
  std::string container_name = {};
  std::string pod_name = {};
  std::string pod_uid = {};
  std::string namespace_name = {};
  std::string image_name = {};
  std::string runtime_name = {};  // "containerd", "cri-o"
  // The kind of the workload and its name: "deployment/ocr"; empty: nobody's, or not told.
  std::string owner = {};
  bool is_sandbox = false;           // the pod's own (pause)
  std::string runtime_handler = {};  // of the pod: "runc", "runsc", "kata"; empty: the default
  std::optional<uint32_t> restart_count = {};
  std::optional<uint64_t> memory_limit_bytes = {};
  std::optional<int32_t> oom_score_adj = {};
  std::vector<Knob> knobs = {};
  bool running = false;                  // when the runtime was asked
  std::optional<RuntimeExit> exit = {};  // absent: it had not ended then

  bool operator==(const RuntimeContainer&) const = default;
};

}  // namespace oombox
