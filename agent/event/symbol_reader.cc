#include "agent/event/symbol_reader.h"

#include <pthread.h>

#include <utility>

namespace oombox {

SymbolReader::SymbolReader(std::shared_ptr<StackSymbols> symbols, std::function<void()> named)
    : symbols_(std::move(symbols)), named_(std::move(named)), thread_([this] { Run(); }) {}

SymbolReader::~SymbolReader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void SymbolReader::Ask(const std::vector<uint64_t>& addresses) {
  const std::lock_guard lock(mutex_);
  asked_.insert(asked_.end(), addresses.begin(), addresses.end());
  changed_.notify_all();
}

bool SymbolReader::TakeNews() {
  const std::lock_guard lock(mutex_);
  return std::exchange(news_, false);
}

void SymbolReader::Run() {
  pthread_setname_np(pthread_self(), "oom-symbols");
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !asked_.empty(); });
    if (stopping_) {
      return;
    }
    const std::vector<uint64_t> addresses = std::exchange(asked_, {});
    lock.unlock();
    if (!symbols_->Known(addresses)) {  // an earlier look-up may have been for the same stack
      symbols_->LookUp(addresses);
    }
    lock.lock();
    news_ = true;
    lock.unlock();
    named_();
    lock.lock();
  }
}

}  // namespace oombox
