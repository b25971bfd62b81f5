#include "emulator/job_queue.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace runctl::emulator {

void JobQueue::add(std::vector<std::string> keys, Work work) {
  const std::lock_guard lock{mutex_};
  if (stopped_) return;
  jobs_.push_back({.keys = std::move(keys), .work = std::move(work)});
  const auto waiting = std::ranges::count_if(jobs_, [](const Job& job) { return !job.running; });
  // One idle thread serves one job: more of them must not wait for it behind a long one.
  if (std::cmp_greater(waiting, idle_) && threads_.size() < most_threads_) {
    threads_.emplace_back([this](const std::stop_token& stop) { serve(stop); });
  }
  changed_.notify_all();
}

void JobQueue::wait_until_idle() {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [&] { return jobs_.empty(); });
}

void JobQueue::stop() {
  std::vector<std::jthread> threads;
  Jobs dropped;
  {
    const std::lock_guard lock{mutex_};
    stopped_ = true;
    threads.swap(threads_);
    for (auto at = jobs_.begin(); at != jobs_.end();) {
      const auto next = std::next(at);
      if (!at->running) dropped.splice(dropped.end(), jobs_, at);
      at = next;
    }
  }
  for (std::jthread& thread : threads) thread.request_stop();
  changed_.notify_all();
}

// The oldest that waits for none before it.
JobQueue::Jobs::iterator JobQueue::next_ready() {
  std::set<std::string_view> taken;
  for (auto at = jobs_.begin(); at != jobs_.end(); ++at) {
    const bool blocked =
        std::ranges::any_of(at->keys, [&](const std::string& key) { return taken.contains(key); });
    if (!at->running && !blocked) return at;
    taken.insert(at->keys.begin(), at->keys.end());
  }
  return jobs_.end();
}

void JobQueue::serve(const std::stop_token& stop) {
  std::unique_lock lock{mutex_};
  while (true) {
    ++idle_;
    auto job = jobs_.end();
    changed_.wait(lock, stop, [&] { return (job = next_ready()) != jobs_.end(); });
    --idle_;
    if (stop.stop_requested() || job == jobs_.end()) return;
    job->running = true;
    Work work = std::move(job->work);
    lock.unlock();
    work(stop);
    work = nullptr;  // whoever waits for what it holds goes on now
    lock.lock();
    jobs_.erase(job);
    changed_.notify_all();
  }
}

}  // namespace runctl::emulator
