#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

namespace oombox {

// The tables of the event store, version by version: each brings a file from the version before it
// (the first: an empty one) to its own, in the transaction of Database::Open. A step that was
// released is never changed; a new one is added at the end of the list in EventStore::Open. They
// throw what SQLiteCpp throws.
void MakeEventSchema(SQLite::Database& database);
void AddListIndexes(SQLite::Database& database);
void CountOomEvents(SQLite::Database& database);
void AddContainerColumns(SQLite::Database& database);
void NoteWhatIsMissing(SQLite::Database& database);

}  // namespace oombox
