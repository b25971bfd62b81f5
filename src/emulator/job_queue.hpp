// Work done by a bounded number of threads, in order where order matters.
#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace runctl::emulator {

// Jobs that share a key run one after the other, in the order in which they came; others side by
// side. Threads are started as they are needed. The destructor asks running jobs to stop, drops
// waiting ones, and returns when none runs. Thread safety: may be used from several threads at
// once, also from within a job (but for wait_until_idle).
class JobQueue {
 public:
  explicit JobQueue(unsigned most_threads) : most_threads_{most_threads} {}
  JobQueue(const JobQueue&) = delete;
  JobQueue& operator=(const JobQueue&) = delete;
  JobQueue(JobQueue&&) = delete;
  JobQueue& operator=(JobQueue&&) = delete;
  ~JobQueue() { stop(); }

  using Work = std::move_only_function<void(const std::stop_token&)>;
  void add(std::vector<std::string> keys, Work work);

  void wait_until_idle();

  // As the destructor; what is added later is dropped.
  void stop();

 private:
  struct Job {
    std::vector<std::string> keys;
    Work work;
    bool running = false;
  };
  using Jobs = std::list<Job>;

  void serve(const std::stop_token& stop);
  [[nodiscard]] Jobs::iterator next_ready();

  const unsigned most_threads_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  Jobs jobs_;  // waiting and running, oldest first
  unsigned idle_ = 0;
  bool stopped_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace runctl::emulator
