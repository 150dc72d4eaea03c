#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace oombox {

// The workload that made a pod, from the labels its controller gave it, which the kubelet copies to
// the pod's sandbox: "deployment/ocr", "statefulset/db", "daemonset/agent", "job/import",
// "cronjob/nightly". Empty when the labels tell of no controller, or do not fit the pod's name: a
// label alone is anybody's to write. The API server is not asked, so "deployment" is whatever
// names its replica sets as a deployment does (an Argo rollout, say). The time tells a cron job's
// scheduled minute from any other number at the end of a job's name. Pure; any bytes.
std::string OwnerOf(const std::string& pod_name,
                    const std::map<std::string, std::string>& sandbox_labels,
                    int64_t created_wall_ns);

}  // namespace oombox
