#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "agent/common/result.h"

namespace oombox {

// What SQLite complained about, as an Error that names the file and the remedy.
Error ErrorFromSqlite(const std::string& path, const SQLite::Exception& exception);

// The file itself is damaged, as opposed to what is in a row.
bool IsDamage(const SQLite::Exception& exception);

// Runs `body`, which returns a Result, and turns what SQLiteCpp throws into an Error: no exception
// leaves this directory. `on_damage` runs when the file turns out to be damaged.
template <typename Body, typename OnDamage>
auto Guard(const std::string& path, Body&& body, OnDamage&& on_damage) -> decltype(body()) {
  try {
    return body();
  } catch (const SQLite::Exception& exception) {
    if (IsDamage(exception)) {
      on_damage();
    }
    return tl::unexpected<Error>(ErrorFromSqlite(path, exception));
  } catch (const std::exception& exception) {
    return MakeError(ErrorCode::kInternal, "{}: {}", path, exception.what());
  }
}

// Bytes a column holds, valid until the statement moves on.
std::string_view BytesOf(const SQLite::Column& column);

// Binds `bytes` without a copy; they must stay until the statement has run.
void BindBlob(SQLite::Statement& statement, int index, std::string_view bytes);

// The single number a query gives; 0 when it gives no row.
int64_t QueryInteger(SQLite::Database& database, const char* sql);

// Bytes of the pages in use: what retention can lower, unlike the size of the file.
uint64_t UsedBytes(SQLite::Database& database);

}  // namespace oombox
