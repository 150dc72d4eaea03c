#include "tests/unit/oombox/golden.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace oombox {

void ExpectGolden(const std::string& name, const std::string& text) {
  const std::string path = std::string(OOMBOX_FIXTURES) + "/" + name;
  if (const char* update = std::getenv("OOMBOX_UPDATE_GOLDEN");
      update != nullptr && *update == '1') {
    std::ofstream(path) << text;
    return;
  }
  std::ifstream file(path);
  ASSERT_TRUE(file.is_open()) << path
                              << " is missing; run with OOMBOX_UPDATE_GOLDEN=1 and look at it";
  std::stringstream expected;
  expected << file.rdbuf();
  EXPECT_EQ(expected.str(), text) << "differs from " << path;
}

}  // namespace oombox
