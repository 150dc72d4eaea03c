#pragma once

#include <sys/types.h>

#include <string>

namespace oombox {

// A real oombox-collector in a process of its own, on loopback.
class CollectorProcess {
 public:
  CollectorProcess(std::string program, std::string state_dir, int max_agents);
  ~CollectorProcess() { Kill(); }
  CollectorProcess(const CollectorProcess&) = delete;
  CollectorProcess& operator=(const CollectorProcess&) = delete;

  // On the same address and folder each time. False: it could not be started.
  bool Start();
  // SIGKILL; returns when it is dead.
  void Kill();

  const std::string& address() const { return address_; }
  double CpuSeconds() const;
  double ResidentMib() const;

 private:
  const std::string program_;
  const std::string state_dir_;
  const int max_agents_;
  std::string address_;
  pid_t pid_ = -1;
};

}  // namespace oombox
