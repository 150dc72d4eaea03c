#pragma once

#include <string>
#include <vector>

#include "agent/common/result.h"
#include "agent/common/unique_fd.h"

namespace oombox {

// A folder in bpffs whose names keep BPF objects in the kernel while no process holds them. Below
// it, abi<N> has the pins of one layout of the shared maps (OOMBOX_PIN_ABI). Whoever opens it has
// it alone, by an exclusive flock that ends with the process: one consumer a node.
class PinFolder {
 public:
  // Makes the folder. kUnavailable: another process has it. kNotFound: there is no bpffs here; the
  // message names the remedy. kPermission: it cannot be written, or others could write there.
  static Result<PinFolder> Open(const std::string& path);

  const std::string& path() const { return path_; }

  // The pins of one layout.
  std::string Layout(int abi) const;
  // Layouts that have a folder, but `abi`.
  std::vector<int> OtherLayouts(int abi) const;
  Status MakeLayout(int abi) const;
  // Unlinks everything of a layout, links first: nothing records below it any more.
  Status RemoveLayout(int abi) const;
  // Unlinks its links only: it records no longer, its ring can still be read.
  Status DetachLayout(int abi) const;

  // Invalid when there is no such pin; an error is not taken for absence.
  Result<UniqueFd> Get(int abi, const std::string& name) const;
  // Replaces an older pin of that name in one step.
  Status Put(int abi, const std::string& name, int fd) const;

  // Removes every layout and the folder. What the kernel recorded and nobody read is gone.
  static Status RemoveAll(const std::string& path);

 private:
  PinFolder(std::string path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  UniqueFd lock_;
};

}  // namespace oombox
