#include "agent/store/database.h"

#include <errno.h>
#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "agent/common/unique_fd.h"
#include "agent/store/move_aside.h"

namespace oombox {

namespace {

constexpr int kBusyTimeoutMs = 5000;

// Small caches and no mmap: the agent has 32 MiB for everything. The WAL is cut back after a
// checkpoint so that a burst does not stay on disk.
constexpr const char* kCommonPragmas =
    "PRAGMA cache_size = -1024; PRAGMA mmap_size = 0; PRAGMA foreign_keys = ON;"
    "PRAGMA journal_size_limit = 4194304;";

// Made by us, not by SQLite: readable for the owner only (command lines are inside), and open(2)
// says more precisely than SQLite what is wrong with the path. SQLite gives -wal and -shm the same
// mode.
Status EnsureFile(const DatabaseSpec& spec) {
  const UniqueFd fd(::open(spec.path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (fd.valid()) {
    return {};
  }
  const int os_error = errno;
  const auto code =
      os_error == ENOSPC || os_error == EDQUOT ? ErrorCode::kExhausted : ErrorCode::kPermission;
  auto error = MakeSystemError(code, os_error, fmt::format("open {} {}", spec.what, spec.path));
  error.value().message +=
      code == ErrorCode::kExhausted
          ? "; free space on that file system"
          : "; its directory must exist and be writable for the user that runs this "
            "program";
  return error;
}

Status CheckIdentity(SQLite::Database& database, const DatabaseSpec& spec) {
  const int64_t version = QueryInteger(database, "PRAGMA user_version");
  const int64_t application = QueryInteger(database, "PRAGMA application_id");
  const bool empty = QueryInteger(database, "SELECT count(*) FROM sqlite_master") == 0;
  if (!empty && application != spec.application_id) {
    return MakeError(ErrorCode::kInvalid, "{} is no oombox {}; give another path", spec.path,
                     spec.what);
  }
  if (version > spec.version()) {
    return MakeError(
        ErrorCode::kInvalid,
        "{} {} has schema version {}, this program knows up to {}; run the newer program "
        "or move the file away",
        spec.what, spec.path, version, spec.version());
  }
  return {};
}

Status CheckIntegrity(SQLite::Database& database, const DatabaseSpec& spec) {
  if (::access(DamageMarker(spec.path).c_str(), F_OK) == 0) {
    return MakeError(ErrorCode::kCorrupt, "{} {} was found damaged while it was in use", spec.what,
                     spec.path);
  }
  SQLite::Statement check(database, "PRAGMA quick_check(1)");
  const std::string verdict = check.executeStep() ? check.getColumn(0).getString() : "no answer";
  if (verdict != "ok") {
    return MakeError(ErrorCode::kCorrupt, "{} {} is damaged: {}", spec.what, spec.path, verdict);
  }
  return {};
}

// Forward only, all steps or none: a power cut leaves the file as it was or as it should be.
void Migrate(SQLite::Database& database, const DatabaseSpec& spec) {
  const auto version = static_cast<int>(QueryInteger(database, "PRAGMA user_version"));
  if (version == spec.version()) {
    return;
  }
  if (version > 0) {
    spdlog::info("{} {} is migrated from schema version {} to {}; a big one takes a minute",
                 spec.what, spec.path, version, spec.version());
  }
  SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
  for (int step = version; step < spec.version(); ++step) {
    spec.schema[static_cast<size_t>(step)](database);
  }
  database.exec(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}",
                            spec.application_id, spec.version()));
  transaction.commit();
}

}  // namespace

Database::RelaxedScope::RelaxedScope(SQLite::Database& database, Durability durability)
    : database_(durability == Durability::kRelaxed ? &database : nullptr) {
  if (database_ != nullptr) {
    database_->exec("PRAGMA synchronous = NORMAL");
  }
}

Database::RelaxedScope::~RelaxedScope() {
  if (database_ != nullptr) {
    database_->tryExec("PRAGMA synchronous = FULL");
  }
}

Result<std::unique_ptr<Database>> Database::OpenOnce(const DatabaseSpec& spec) {
  OOMBOX_RETURN_IF_ERROR(EnsureFile(spec));
  const auto open = [&]() -> Result<std::unique_ptr<Database>> {
    auto writer =
        std::make_unique<SQLite::Database>(spec.path, SQLite::OPEN_READWRITE, kBusyTimeoutMs);
    writer->exec(kCommonPragmas);
    // Identity first: a file that is not ours to touch must not even become a WAL file.
    OOMBOX_RETURN_IF_ERROR(CheckIdentity(*writer, spec));
    OOMBOX_RETURN_IF_ERROR(CheckIntegrity(*writer, spec));
    writer->exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    Migrate(*writer, spec);
    return std::unique_ptr<Database>(new Database(spec.path, spec.max_readers, std::move(writer)));
  };
  return Guard(spec.path, open, [] {});  // Open moves a damaged file aside
}

// quick_check need not find what a query has stumbled over: the marker makes sure.
void Database::NoteDamage() {
  if (!damaged_.exchange(true)) {
    const UniqueFd marker(
        ::open(DamageMarker(path_).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    spdlog::error("{} is damaged: it is moved aside at the next start", path_);
  }
}

std::unique_ptr<SQLite::Database> Database::BorrowReader() {
  {
    std::unique_lock lock(readers_mutex_);
    reader_returned_.wait(lock,
                          [this] { return !idle_readers_.empty() || readers_ < max_readers_; });
    if (!idle_readers_.empty()) {
      auto reader = std::move(idle_readers_.back());
      idle_readers_.pop_back();
      return reader;
    }
    ++readers_;
  }
  try {
    auto reader = std::make_unique<SQLite::Database>(path_, SQLite::OPEN_READWRITE, kBusyTimeoutMs);
    reader->exec(kCommonPragmas);
    reader->exec("PRAGMA query_only = ON");
    return reader;
  } catch (...) {
    ReturnReader(nullptr);  // its place is free again
    throw;
  }
}

void Database::ReturnReader(std::unique_ptr<SQLite::Database> reader) {
  {
    std::lock_guard lock(readers_mutex_);
    if (reader == nullptr) {
      --readers_;
    } else {
      idle_readers_.push_back(std::move(reader));
    }
  }
  reader_returned_.notify_one();
}

Result<std::unique_ptr<Database>> Database::Open(const DatabaseSpec& spec) {
  OOMBOX_RETURN_IF_ERROR(FinishMoveAside(spec.path));
  auto opened = OpenOnce(spec);
  if (!opened.has_value() && opened.error().code == ErrorCode::kCorrupt) {
    OOMBOX_TRY(const std::string target, MoveAside(spec.path));
    opened = OpenOnce(spec);
  }
  if (opened.has_value()) {
    (*opened)->moved_aside_ = MovedAsideUntold(spec.path);
  }
  return opened;
}

Status Database::NoteMovedAsideTold() { return oombox::NoteMovedAsideTold(path_); }

}  // namespace oombox
