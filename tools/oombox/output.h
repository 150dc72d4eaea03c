#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "agent/common/result.h"
#include "tools/oombox/options.h"
#include "tools/oombox/render/style.h"

namespace oombox {

// Where the answer goes. A reader that has gone away (`oombox list | head`) is no error: what
// follows is swallowed and `closed()` tells loops to end. Used from one thread.
class Output {
 public:
  // `width` 0: unbounded (a pipe, a file).
  Output(std::FILE* stream, size_t width, bool color)
      : stream_(stream), width_(width), paint_(color) {}

  // Asks the terminal again how big it is.
  void Measure();

  // Stdout: its width when it is a terminal, colour as asked for, NO_COLOR honoured.
  static Output ForStdout(ColorMode color);

  // Writes and flushes, so that a pipe sees each answer at once.
  void Write(std::string_view text);

  bool closed() const { return closed_; }
  // kInternal when something could not be written for another reason, a full disk say.
  const Status& status() const { return status_; }
  size_t width() const { return width_; }
  // Lines of the terminal; 0: it is none.
  size_t height() const { return height_; }
  // It shows the characters that drawings are made of.
  bool draws() const { return draws_; }
  const Paint& paint() const { return paint_; }

 private:
  std::FILE* stream_;
  size_t width_;
  size_t height_ = 0;
  bool draws_ = true;
  Paint paint_;
  bool closed_ = false;
  Status status_;
};

}  // namespace oombox
