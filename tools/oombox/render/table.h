#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/oombox/render/style.h"

namespace oombox {

struct TableColumn {
  std::string name;
  bool right = false;
  // Not 0: may be shortened (in the middle) down to this when the terminal is too narrow.
  size_t narrowest = 0;
  // Not 0: left out where the others do not fit otherwise, the highest first.
  size_t expendable = 0;
};

struct TableCell {
  std::string text;
  Style style = Style::kPlain;
};

struct TableOptions {
  size_t width = 0;  // 0: unbounded, nothing is ever shortened
  bool headers = true;
  Paint paint{false};
};

// Aligned columns by libsmartcols. A row with one cell in a table of many is a line of its own
// across the whole width. Text must be printable.
class Table {
 public:
  explicit Table(std::vector<TableColumn> columns) : columns_(std::move(columns)) {}

  void Add(std::vector<TableCell> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }
  // Lines, each with its newline. Empty when memory is exhausted.
  std::string Render(const TableOptions& options) const;
  // A line that names the columns that Render leaves out, with its newline; empty when it has all.
  std::string LeftOut(const TableOptions& options) const;

 private:
  std::vector<bool> Kept(const TableOptions& options) const;
  std::string RenderAll(const TableOptions& options) const;

  std::vector<TableColumn> columns_;
  std::vector<std::vector<TableCell>> rows_;
};

}  // namespace oombox
