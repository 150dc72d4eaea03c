#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "agent/common/unique_fd.h"

namespace oombox {

// Forwards TCP connections on a loopback port of its own to a unix socket. While it is frozen it
// takes and gives nothing, but keeps every connection open: a network that has silently gone.
class SilentProxy {
 public:
  // `upstream` is the path of the unix socket.
  explicit SilentProxy(std::string upstream);

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  void Freeze() { frozen_ = true; }
  // Connections of before stay dead, as they would be after a reboot of whatever was between.
  void Thaw();

 private:
  struct Pair {
    UniqueFd client;
    UniqueFd server;
  };

  void Run(const std::stop_token& stop);
  void Accept();
  static bool Forward(int from, int to);

  const std::string upstream_;
  UniqueFd listener_;
  int port_ = 0;
  std::atomic<bool> frozen_ = false;
  std::mutex mutex_;  // guards pairs_
  std::vector<Pair> pairs_;
  std::jthread thread_;
};

}  // namespace oombox
