#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <vector>

#include "agent/common/result.h"
#include "agent/store/sqlite_util.h"

namespace oombox {

// What a SQLite file of ours must be.
struct DatabaseSpec {
  std::string path = {};
  std::string what = {};  // for messages: "journal"
  int application_id = 0;
  // Step i brings a file from version i to i+1, in one transaction with the others that are due;
  // the first fills an empty file. A file with a higher version than there are steps is refused.
  std::vector<std::function<void(SQLite::Database&)>> schema = {};
  size_t max_readers = 1;  // connections for reading; each has a cache of 1 MiB, opened when needed

  int version() const { return static_cast<int>(schema.size()); }
};

enum class Durability {
  kFull,     // on disk when the transaction has been committed
  kRelaxed,  // survives the process, not a power cut; for what is made again soon
};

// A SQLite file in WAL mode with one connection for writing and a few for reading: writer and
// readers never wait for each other, and a long read holds up others only when all connections are
// busy. Thread-safe. A damaged file is moved aside.
class Database {
 public:
  // kInvalid: a newer schema or somebody else's file. kPermission, kExhausted, ...: the message has
  // the remedy.
  static Result<std::unique_ptr<Database>> Open(const DatabaseSpec& spec);

  // Where the damaged predecessor went; empty when there was none, or when an earlier life has
  // called NoteMovedAsideTold.
  const std::string& moved_aside() const { return moved_aside_; }
  Status NoteMovedAsideTold();
  const std::string& path() const { return path_; }
  // The file turned out to be damaged while it was in use: what is written may be lost. A marker
  // beside it makes the next Open move it aside; until then every call may fail.
  bool damaged() const { return damaged_.load(); }

  // Runs `body(SQLite::Database&)`, which returns a Result, in one transaction. Nothing is changed
  // unless it returns a value and the commit succeeds.
  template <typename Body>
  auto Write(Durability durability, Body&& body) -> std::invoke_result_t<Body, SQLite::Database&> {
    std::lock_guard lock(write_mutex_);
    return Guard(
        path_,
        [&]() -> std::invoke_result_t<Body, SQLite::Database&> {
          const RelaxedScope relaxed(*writer_, durability);
          SQLite::Transaction transaction(*writer_, SQLite::TransactionBehavior::IMMEDIATE);
          auto result = body(*writer_);
          if (result.has_value()) {
            transaction.commit();
          }
          return result;
        },
        [this] { NoteDamage(); });
  }

  // Runs `body(SQLite::Database&)` on what is committed.
  template <typename Body>
  auto Read(Body&& body) -> std::invoke_result_t<Body, SQLite::Database&> {
    return Guard(
        path_,
        [&]() {
          const ReaderLease reader(*this);
          return body(reader.database());
        },
        [this] { NoteDamage(); });
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

  // One connection for reading, for as long as this lives; waits for one when all are lent.
  class ReaderLease {
   public:
    explicit ReaderLease(Database& owner) : owner_(owner), database_(owner.BorrowReader()) {}
    ~ReaderLease() { owner_.ReturnReader(std::move(database_)); }
    ReaderLease(const ReaderLease&) = delete;
    ReaderLease& operator=(const ReaderLease&) = delete;
    SQLite::Database& database() const { return *database_; }

   private:
    Database& owner_;
    std::unique_ptr<SQLite::Database> database_;
  };

  Database(std::string path, size_t max_readers, std::unique_ptr<SQLite::Database> writer)
      : path_(std::move(path)), max_readers_(max_readers), writer_(std::move(writer)) {}

  static Result<std::unique_ptr<Database>> OpenOnce(const DatabaseSpec& spec);
  void NoteDamage();
  std::unique_ptr<SQLite::Database> BorrowReader();
  void ReturnReader(std::unique_ptr<SQLite::Database> reader);

  const std::string path_;
  const size_t max_readers_;
  std::string moved_aside_;
  std::atomic<bool> damaged_{false};
  std::mutex write_mutex_;
  std::unique_ptr<SQLite::Database> writer_;
  std::mutex readers_mutex_;
  std::condition_variable reader_returned_;
  size_t readers_ = 0;  // open, lent or not
  std::vector<std::unique_ptr<SQLite::Database>> idle_readers_;
};

}  // namespace oombox
