#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>

#include "agent/common/result.h"
#include "agent/store/sqlite_util.h"

namespace oombox {

// What a SQLite file of ours must be.
struct DatabaseSpec {
  std::string path = {};
  std::string what = {};  // for messages: "journal"
  int application_id = 0;
  int version = 1;  // newer files are refused
  std::function<void(SQLite::Database&)> make_schema =
      {};  // fills an empty file, in one transaction
};

enum class Durability {
  kFull,     // on disk when the transaction has been committed
  kRelaxed,  // survives the process, not a power cut; for what is made again soon
};

// A SQLite file in WAL mode with one connection for writing and one for reading, each behind its
// own mutex: writer and readers never wait for each other. Thread-safe. A damaged file is moved
// aside.
class Database {
 public:
  // kInvalid: a newer schema or somebody else's file. kPermission, kExhausted, ...: the message has
  // the remedy.
  static Result<std::unique_ptr<Database>> Open(const DatabaseSpec& spec);

  // Where the damaged predecessor went; empty when there was none.
  const std::string& moved_aside() const { return moved_aside_; }
  const std::string& path() const { return path_; }

  // Runs `body(SQLite::Database&)`, which returns a Result, in one transaction. Nothing is changed
  // unless it returns a value and the commit succeeds.
  template <typename Body>
  auto Write(Durability durability, Body&& body) -> std::invoke_result_t<Body, SQLite::Database&> {
    std::lock_guard lock(write_mutex_);
    return Guard(path_, [&]() -> std::invoke_result_t<Body, SQLite::Database&> {
      const RelaxedScope relaxed(*writer_, durability);
      SQLite::Transaction transaction(*writer_, SQLite::TransactionBehavior::IMMEDIATE);
      auto result = body(*writer_);
      if (result.has_value()) {
        transaction.commit();
      }
      return result;
    });
  }

  // Runs `body(SQLite::Database&)` on what is committed.
  template <typename Body>
  auto Read(Body&& body) -> std::invoke_result_t<Body, SQLite::Database&> {
    std::lock_guard lock(read_mutex_);
    return Guard(path_, [&]() { return body(*reader_); });
  }

 private:
  class RelaxedScope {
   public:
    RelaxedScope(SQLite::Database& database, Durability durability);
    ~RelaxedScope();
    RelaxedScope(const RelaxedScope&) = delete;
    RelaxedScope& operator=(const RelaxedScope&) = delete;

   private:
    SQLite::Database* database_;  // null when nothing has to be put back
  };

  Database(std::string path, std::unique_ptr<SQLite::Database> writer,
           std::unique_ptr<SQLite::Database> reader)
      : path_(std::move(path)), writer_(std::move(writer)), reader_(std::move(reader)) {}

  static Result<std::unique_ptr<Database>> OpenOnce(const DatabaseSpec& spec);

  const std::string path_;
  std::string moved_aside_;
  std::mutex write_mutex_;
  std::unique_ptr<SQLite::Database> writer_;
  std::mutex read_mutex_;
  std::unique_ptr<SQLite::Database> reader_;
};

}  // namespace oombox
