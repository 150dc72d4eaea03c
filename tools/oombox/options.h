#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "tools/oombox/render/chart.h"

namespace oombox {

// What the command line asked for, as typed; checked where it is used.

enum class OutputFormat { kDefault, kTable, kCompact, kJson, kJsonLines, kYaml };

enum class ColorMode { kAuto, kAlways, kNever };

enum class TopSort { kCloseness, kGrowth, kFull, kUsage };

// Options of every verb.
struct GlobalOptions {
  std::string server;  // empty: the environment, then the default collector
  bool local = false;
  std::string file;  // saved events instead of a server; "-" is stdin
  std::string tls_ca;
  std::string tls_certificate;
  std::string tls_key;
  bool insecure = false;
  std::string timeout = "10s";
  OutputFormat format = OutputFormat::kDefault;
  ColorMode color = ColorMode::kAuto;
  bool no_headers = false;
};

// Options that become one filter string.
struct FilterOptions {
  std::string since;
  std::string until;
  std::string cgroup;
  std::string comm;
  std::string host;
  std::string namespace_name;
  bool all_namespaces = false;
  std::string pod;
  std::string container;
  std::string owner;
  std::string image;
  std::string qos;
  std::string kind;
  std::string expression;
  // Without --kind, pressure is left out: it would bury the kills.
  bool kills_first = false;
  bool print = false;
};

struct ListOptions {
  FilterOptions filter;
  int64_t last = 0;  // 0: the default bound
  bool no_group = false;
};

struct WatchOptions {
  FilterOptions filter;
  bool reconnect = true;
  int64_t count = 0;  // 0: without end
  std::chrono::milliseconds backoff{200};
};

struct CurveOptions {
  std::optional<ChartStyle> style;  // absent: the finest that the terminal shows
};

struct TopOptions {
  FilterOptions filter;  // what chooses containers
  bool all = false;
  TopSort sort = TopSort::kCloseness;
  bool once = false;
  std::string interval = "2s";
};

struct StatusOptions {
  bool verbose = false;
};

struct VersionOptions {
  bool check = false;
};

}  // namespace oombox
