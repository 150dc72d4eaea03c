#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace oombox {

// A directory with plain files in the place of cgroupfs; removed with its contents at the end.
class ScratchTree {
 public:
  ScratchTree() {
    std::string pattern = ::testing::TempDir() + "memhog-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
  }
  ~ScratchTree() { std::filesystem::remove_all(root_); }
  ScratchTree(const ScratchTree&) = delete;
  ScratchTree& operator=(const ScratchTree&) = delete;

  const std::string& root() const { return root_; }
  void Write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(root_ + "/" + name).parent_path());
    std::ofstream(root_ + "/" + name) << text;
  }
  std::string Read(const std::string& name) const {
    std::ifstream file(root_ + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  bool Exists(const std::string& name) const { return std::filesystem::exists(root_ + "/" + name); }

 private:
  std::string root_;
};

}  // namespace oombox
