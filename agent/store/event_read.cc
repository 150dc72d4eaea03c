#include "agent/store/event_read.h"

#include <algorithm>

namespace oombox {

namespace {

constexpr size_t kIdLength = 16;
constexpr size_t kMinPrefix = 4;
constexpr size_t kMaxReadBytes = 4u << 20;

Result<StoredEvent> ParseRow(SQLite::Statement& row) {
  StoredEvent stored;
  stored.seq = static_cast<uint64_t>(row.getColumn(0).getInt64());
  const std::string_view bytes = BytesOf(row.getColumn(1));
  if (!stored.event.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return MakeError(ErrorCode::kCorrupt, "stored event with seq {} does not parse", stored.seq);
  }
  return stored;
}

Result<std::vector<StoredEvent>> ParseRows(SQLite::Statement& rows, size_t max_bytes) {
  std::vector<StoredEvent> events;
  size_t bytes = 0;
  while (rows.executeStep()) {
    bytes += static_cast<size_t>(rows.getColumn(1).getBytes());
    if (bytes > max_bytes && !events.empty()) {
      break;
    }
    OOMBOX_TRY(StoredEvent stored, ParseRow(rows));
    events.push_back(std::move(stored));
  }
  return events;
}

Result<StoredEvent> FindLatest(SQLite::Database& database) {
  SQLite::Statement query(database,
                          "SELECT seq, full FROM events JOIN bodies USING (seq) WHERE kind = 'oom'"
                          " ORDER BY time DESC, seq DESC LIMIT 1");
  if (!query.executeStep()) {
    return MakeError(ErrorCode::kNotFound, "no OOM event is stored");
  }
  return ParseRow(query);
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

Result<std::vector<StoredEvent>> ListEvents(SQLite::Database& database, const ListQuery& query) {
  const Filter::Sql filter = query.filter.ToSql();
  const bool first_page = query.before_time_ns == 0 && query.before_seq == 0;
  SQLite::Statement rows(
      database, fmt::format("SELECT seq, {} FROM events JOIN bodies USING (seq) WHERE ({}) {}"
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
    rows.bind(++index, query.before_time_ns);
    rows.bind(++index, static_cast<int64_t>(query.before_seq));
  }
  rows.bind(++index, static_cast<int64_t>(query.limit));
  return ParseRows(rows, query.max_bytes);
}

Result<std::vector<StoredEvent>> ReadEventsAfter(SQLite::Database& database, uint64_t after,
                                                 size_t limit) {
  SQLite::Statement rows(database,
                         "SELECT seq, full FROM bodies WHERE seq > ? ORDER BY seq LIMIT ?");
  rows.bind(1, static_cast<int64_t>(after));
  rows.bind(2, static_cast<int64_t>(limit));
  return ParseRows(rows, kMaxReadBytes);
}

}  // namespace oombox
