#include "tools/oombox/render/table.h"

#include <libsmartcols/libsmartcols.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "tools/oombox/render/text_width.h"

namespace oombox {

namespace {

struct Unref {
  void operator()(libscols_table* table) const { scols_unref_table(table); }
  void operator()(char* text) const { std::free(text); }
};

constexpr std::string_view kSeparator = "  ";

using Rows = std::vector<std::vector<TableCell>>;

bool IsFullLine(const std::vector<TableCell>& row, size_t columns) {
  return row.size() == 1 && columns > 1;
}

std::vector<size_t> NaturalWidths(const std::vector<TableColumn>& columns, const Rows& rows,
                                  bool headers) {
  std::vector<size_t> widths(columns.size());
  for (size_t i = 0; i < columns.size(); ++i) {
    widths[i] = headers ? TextWidth(columns[i].name) : 0;
    for (const auto& row : rows) {
      if (!IsFullLine(row, columns.size()) && i < row.size()) {
        widths[i] = std::max(widths[i], TextWidth(row[i].text));
      }
    }
  }
  return widths;
}

// Takes from the widest elastic column until the row fits or nothing can give any more.
void Shrink(const std::vector<TableColumn>& columns, size_t width, std::vector<size_t>* widths) {
  size_t total = kSeparator.size() * (widths->size() - 1);
  for (const size_t w : *widths) {
    total += w;
  }
  while (total > width) {
    size_t widest = columns.size();
    for (size_t i = 0; i < columns.size(); ++i) {
      const bool gives = columns[i].narrowest > 0 && (*widths)[i] > columns[i].narrowest;
      if (gives && (widest == columns.size() || (*widths)[i] > (*widths)[widest])) {
        widest = i;
      }
    }
    if (widest == columns.size()) {
      return;
    }
    --(*widths)[widest];
    --total;
  }
}

std::string TrimLines(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    line = line.substr(0, line.find_last_not_of(' ') + 1);
    out.append(line).append("\n");
  }
  return out;
}

// Lays out `rows` in columns of exactly `widths`.
std::string Layout(const std::vector<TableColumn>& columns, const std::vector<size_t>& widths,
                   const Rows& rows, const TableOptions& options) {
  const std::unique_ptr<libscols_table, Unref> table(scols_new_table());
  if (!table) {
    return "";
  }
  scols_table_enable_noheadings(table.get(), 1);
  // Text is printable already; the library would escape the backslashes of escaped names again.
  scols_table_enable_noencoding(table.get(), 1);
  scols_table_set_termforce(table.get(), SCOLS_TERMFORCE_NEVER);
  scols_table_enable_colors(table.get(), options.paint.enabled() ? 1 : 0);
  scols_table_set_column_separator(table.get(), kSeparator.data());
  for (size_t i = 0; i < columns.size(); ++i) {
    scols_table_new_column(table.get(), columns[i].name.c_str(), 0,
                           columns[i].right ? SCOLS_FL_RIGHT : 0);
  }
  for (const auto& row : rows) {
    libscols_line* line = scols_table_new_line(table.get(), nullptr);
    if (line == nullptr) {
      return "";
    }
    for (size_t i = 0; i < row.size() && i < columns.size(); ++i) {
      scols_line_set_data(line, i, ElideMiddle(row[i].text, widths[i]).c_str());
      if (options.paint.enabled() && row[i].style != Style::kPlain) {
        scols_cell_set_color(scols_line_get_cell(line, i), Paint::Sequence(row[i].style));
      }
    }
  }
  char* text = nullptr;
  if (scols_print_table_to_string(table.get(), &text) != 0 || text == nullptr) {
    return "";
  }
  const std::unique_ptr<char, Unref> owned(text);
  return TrimLines(owned.get());
}

}  // namespace

// Takes columns away until the narrowest that the others can be fits.
std::vector<bool> Table::Kept(const TableOptions& options) const {
  const std::vector<size_t> widths = NaturalWidths(columns_, rows_, options.headers);
  std::vector<bool> kept(columns_.size(), true);
  while (options.width > 0) {
    size_t total = 0;
    size_t least = columns_.size();
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (!kept[i]) {
        continue;
      }
      const TableColumn& column = columns_[i];
      total += (total == 0 ? 0 : kSeparator.size()) +
               (column.narrowest > 0 ? std::min(column.narrowest, widths[i]) : widths[i]);
      if (column.expendable > (least == columns_.size() ? 0 : columns_[least].expendable)) {
        least = i;
      }
    }
    if (total <= options.width || least == columns_.size()) {
      break;
    }
    kept[least] = false;
  }
  return kept;
}

std::string Table::LeftOut(const TableOptions& options) const {
  const std::vector<bool> kept = Kept(options);
  std::string line;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (!kept[i]) {
      line.append(line.empty() ? "no room for: " : ", ").append(columns_[i].name);
    }
  }
  if (line.empty()) {
    return line;
  }
  constexpr std::string_view kRemedy = " (a wider screen, or a pipe)";
  if (TextWidth(line) + TextWidth(kRemedy) <= options.width) {
    line += kRemedy;
  }
  return options.paint(Style::kDim, ElideMiddle(line, options.width)) + "\n";
}

std::string Table::Render(const TableOptions& options) const {
  const std::vector<bool> kept = Kept(options);
  if (std::find(kept.begin(), kept.end(), false) == kept.end()) {
    return RenderAll(options);
  }
  std::vector<TableColumn> columns;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (kept[i]) {
      columns.push_back(columns_[i]);
    }
  }
  Table narrower(std::move(columns));
  for (const std::vector<TableCell>& row : rows_) {
    std::vector<TableCell> cells;
    for (size_t i = 0; i < row.size(); ++i) {
      if (kept[i] || IsFullLine(row, columns_.size())) {
        cells.push_back(row[i]);
      }
    }
    narrower.Add(std::move(cells));
  }
  return narrower.RenderAll(options);
}

std::string Table::RenderAll(const TableOptions& options) const {
  std::vector<size_t> widths = NaturalWidths(columns_, rows_, options.headers);
  if (options.width > 0) {
    Shrink(columns_, options.width, &widths);
  }
  Rows cells;
  if (options.headers) {
    auto& header = cells.emplace_back();
    for (const TableColumn& column : columns_) {
      header.push_back({column.name, Style::kDim});
    }
  }
  for (const auto& row : rows_) {
    if (!IsFullLine(row, columns_.size())) {
      cells.push_back(row);
    }
  }
  const std::string laid_out = Layout(columns_, widths, cells, options);

  // Full lines go where they belong between the laid-out ones.
  std::string out;
  std::string_view rest = laid_out;
  const auto take_line = [&] {
    const size_t end = std::min(rest.find('\n'), rest.size() - 1) + 1;
    out.append(rest.substr(0, end));
    rest.remove_prefix(end);
  };
  if (options.headers && !rest.empty()) {
    take_line();
  }
  for (const auto& row : rows_) {
    if (IsFullLine(row, columns_.size())) {
      out.append(options.paint(row[0].style, row[0].text)).append("\n");
    } else if (!rest.empty()) {
      take_line();
    }
  }
  return out;
}

}  // namespace oombox
