#include "agent/store/sqlite_util.h"

#include <sqlite3.h>

namespace oombox {

namespace {

struct Advice {
  ErrorCode code;
  const char* remedy;
};

Advice AdviceFor(int sqlite_code) {
  switch (sqlite_code) {
    case SQLITE_FULL:
      return {ErrorCode::kExhausted, "; free space on that file system or lower the size limit"};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
      return {ErrorCode::kPermission,
              "; the file and its directory must be writable for the user that runs this program"};
    case SQLITE_IOERR:
      return {ErrorCode::kUnavailable, "; the kernel log tells what is wrong with the disk"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::kUnavailable, "; another process is using the file, stop it"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {ErrorCode::kCorrupt, "; at the next start it is moved aside and a fresh one begun"};
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
      return {ErrorCode::kInvalid, ""};
    default:
      return {ErrorCode::kInternal, ""};
  }
}

}  // namespace

bool IsDamage(const SQLite::Exception& exception) {
  const int code = exception.getErrorCode() & 0xff;
  return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

Error ErrorFromSqlite(const std::string& path, const SQLite::Exception& exception) {
  // The low byte is the primary code; SQLiteCpp gives extended codes for some calls.
  const Advice advice = AdviceFor(exception.getErrorCode() & 0xff);
  return Error{advice.code, fmt::format("{}: {}{}", path, exception.what(), advice.remedy), 0};
}

std::string_view BytesOf(const SQLite::Column& column) {
  const void* bytes = column.getBlob();
  return {static_cast<const char*>(bytes), static_cast<size_t>(column.getBytes())};
}

void BindBlob(SQLite::Statement& statement, int index, std::string_view bytes) {
  // A null pointer would bind NULL instead of an empty blob.
  const char* data = bytes.empty() ? "" : bytes.data();
  statement.bindNoCopy(index, static_cast<const void*>(data), static_cast<int>(bytes.size()));
}

int64_t QueryInteger(SQLite::Database& database, const char* sql) {
  SQLite::Statement query(database, sql);
  return query.executeStep() ? query.getColumn(0).getInt64() : 0;
}

uint64_t UsedBytes(SQLite::Database& database) {
  const int64_t pages =
      QueryInteger(database, "PRAGMA page_count") - QueryInteger(database, "PRAGMA freelist_count");
  return static_cast<uint64_t>(pages * QueryInteger(database, "PRAGMA page_size"));
}

}  // namespace oombox
