#pragma once

#include <string_view>
#include <vector>

#include "agent/store/event_store.h"
#include "agent/store/sqlite_util.h"

namespace oombox {

// Queries over the tables of the event store. They throw what SQLiteCpp throws: call them inside
// Database::Read or Database::Write only.

// 16 characters of Crockford's base32 in lower case, or fewer of them for a prefix.
bool IsIdText(std::string_view text);

Result<StoredEvent> FindEvent(SQLite::Database& database, std::string_view reference);
Result<std::vector<StoredEvent>> ListEvents(SQLite::Database& database, const ListQuery& query);
Result<std::vector<StoredEvent>> ReadEventsAfter(SQLite::Database& database, uint64_t after,
                                                 size_t limit);

}  // namespace oombox
