#include "agent/store/event_read.h"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace oombox {

namespace {

constexpr size_t kIdLength = 16;
constexpr size_t kMinPrefix = 4;
constexpr size_t kMaxReadBytes = 4u << 20;
constexpr size_t kMaxRemembered = 4096;
constexpr size_t kMaxLogged = 10;

Result<StoredEvent> ParseRow(SQLite::Statement& row) {
  StoredEvent stored;
  stored.seq = static_cast<uint64_t>(row.getColumn(0).getInt64());
  const std::string_view bytes = BytesOf(row.getColumn(1));
  if (!stored.event.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return MakeError(ErrorCode::kCorrupt, "stored event with seq {} does not parse", stored.seq);
  }
  return stored;
}

// Where a page of rows ended, for the one after it.
struct Page {
  std::vector<StoredEvent> events;
  size_t rows = 0;    // read, unreadable ones included
  bool full = false;  // no more is wanted
  uint64_t last_seq = 0;
  int64_t last_time_ns = 0;
  size_t bytes = 0;
};

// Adds what `rows` (seq, body, time) gives to `page`.
void TakeRows(SQLite::Statement& rows, size_t limit, size_t max_bytes, UnreadableRows& unreadable,
              Page* page) {
  page->rows = 0;
  while (rows.executeStep()) {
    page->bytes += static_cast<size_t>(rows.getColumn(1).getBytes());
    if (page->bytes > max_bytes && !page->events.empty()) {
      page->full = true;
      return;
    }
    ++page->rows;
    page->last_seq = static_cast<uint64_t>(rows.getColumn(0).getInt64());
    page->last_time_ns = rows.getColumn(2).getInt64();
    if (auto stored = ParseRow(rows)) {
      page->events.push_back(std::move(*stored));
      page->full = page->events.size() >= limit;
    } else {
      unreadable.Note(page->last_seq);
    }
    if (page->full) {
      return;
    }
  }
}

Result<StoredEvent> FindLatest(SQLite::Database& database) {
  SQLite::Statement query(database,
                          "SELECT seq, full FROM events JOIN bodies USING (seq) WHERE kind = 'oom'"
                          " ORDER BY time DESC, seq DESC");
  while (query.executeStep()) {
    if (auto stored = ParseRow(query)) {
      return stored;
    }
  }
  return MakeError(ErrorCode::kNotFound, "no OOM event is stored");
}

Status CheckReference(std::string_view reference) {
  if (!IsIdText(reference) || reference.size() < kMinPrefix || reference.size() > kIdLength) {
    return MakeError(
        ErrorCode::kInvalid,
        "not an event reference; give an id, at least its first {} characters, or 'latest'",
        kMinPrefix);
  }
  return {};
}

}  // namespace

bool IsIdText(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const bool letter = c >= 'a' && c <= 'z' && c != 'i' && c != 'l' && c != 'o' && c != 'u';
    return letter || (c >= '0' && c <= '9');
  });
}

Result<StoredEvent> FindEvent(SQLite::Database& database, std::string_view reference) {
  if (reference == "latest") {
    return FindLatest(database);
  }
  OOMBOX_RETURN_IF_ERROR(CheckReference(reference));
  const std::string prefix(reference);
  SQLite::Statement query(database,
                          "SELECT seq, full, id FROM events JOIN bodies USING (seq)"
                          " WHERE id >= ? AND id < ? ORDER BY id LIMIT 2");
  query.bind(1, prefix);
  query.bind(2, prefix + "\x7f");  // above every character of an id
  if (!query.executeStep()) {
    return MakeError(ErrorCode::kNotFound, "no event '{}'", reference);
  }
  OOMBOX_TRY(StoredEvent stored, ParseRow(query));
  const std::string first = query.getColumn(2).getString();
  if (query.executeStep()) {
    return MakeError(ErrorCode::kAmbiguous,
                     "'{}' is the beginning of more than one event ({}, {}); give more characters",
                     reference, first, query.getColumn(2).getString());
  }
  return stored;
}

void UnreadableRows::Note(uint64_t seq) {
  std::lock_guard lock(mutex_);
  if (seqs_.size() >= kMaxRemembered || !seqs_.insert(seq).second) {
    return;
  }
  if (seqs_.size() <= kMaxLogged) {
    spdlog::error("stored event with seq {} does not parse: it is left out{}", seq,
                  seqs_.size() == kMaxLogged ? "; further ones are only counted" : "");
  }
}

std::vector<int64_t> UnreadableRows::seqs() const {
  const std::lock_guard lock(mutex_);
  return {seqs_.begin(), seqs_.end()};
}

uint64_t UnreadableRows::count() const {
  std::lock_guard lock(mutex_);
  return seqs_.size();
}

namespace {

void ListRows(SQLite::Database& database, const ListQuery& query, const Filter::Sql& filter,
              bool first_page, UnreadableRows& unreadable, Page* page) {
  SQLite::Statement rows(
      database, fmt::format("SELECT seq, {}, time FROM events JOIN bodies USING (seq) WHERE ({}) {}"
                            " ORDER BY time DESC, seq DESC LIMIT ?",
                            query.view == v1::EVENT_VIEW_FULL ? "full" : "basic", filter.condition,
                            first_page ? "" : "AND (time, seq) < (?, ?)"));
  int index = 0;
  for (const Filter::SqlValue& value : filter.values) {
    if (value.is_integer) {
      rows.bind(++index, value.integer);
    } else {
      rows.bind(++index, value.text);
    }
  }
  if (!first_page) {
    rows.bind(++index, page->last_time_ns);
    rows.bind(++index, static_cast<int64_t>(page->last_seq));
  }
  rows.bind(++index, static_cast<int64_t>(query.limit));
  TakeRows(rows, query.limit, query.max_bytes, unreadable, page);
}

}  // namespace

Result<std::vector<StoredEvent>> ListEvents(SQLite::Database& database, const ListQuery& query,
                                            UnreadableRows& unreadable) {
  const Filter::Sql filter = query.filter.ToSql();
  bool first_page = query.before_time_ns == 0 && query.before_seq == 0;
  Page page{.last_seq = query.before_seq, .last_time_ns = query.before_time_ns};
  // Once, unless unreadable rows have taken the places of others.
  do {
    ListRows(database, query, filter, first_page, unreadable, &page);
    first_page = false;
  } while (!page.full && page.rows == query.limit);
  return std::move(page.events);
}

Result<std::vector<StoredEvent>> ReadEventsAfter(SQLite::Database& database, uint64_t after,
                                                 size_t limit, UnreadableRows& unreadable) {
  SQLite::Statement rows(database, "SELECT seq, full, 0 FROM bodies WHERE seq > ? ORDER BY seq");
  rows.bind(1, static_cast<int64_t>(after));
  Page page;
  TakeRows(rows, limit, kMaxReadBytes, unreadable, &page);
  return std::move(page.events);
}

}  // namespace oombox
