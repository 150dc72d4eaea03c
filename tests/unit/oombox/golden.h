#pragma once

#include <string>

namespace oombox {

// Compares `text` with tests/fixtures/oombox/<name>. OOMBOX_UPDATE_GOLDEN=1 in the environment
// writes the file instead: then look at it, it is what a person will see.
void ExpectGolden(const std::string& name, const std::string& text);

}  // namespace oombox
