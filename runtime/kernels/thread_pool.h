// SPDX-License-Identifier: Apache-2.0
// A persistent pool for short parallel loops: workers spin a little between loops, then sleep.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace ks {

class ThreadPool {
  public:
    using Task = void (*)(void *context, int task);

    explicit ThreadPool(int threads); // the caller's thread included
    ~ThreadPool();
    ThreadPool(const ThreadPool &) = delete;
    ThreadPool &operator=(const ThreadPool &) = delete;

    int threads() const { return static_cast<int>(workers_.size()) + 1; }

    // Runs task(context, i) for i in [0, count) and returns when all are done. Tasks are handed out in order.
    // When another thread is running a loop, the caller runs its own alone. No allocation. Tasks must not
    // throw.
    void run(int count, Task task, void *context);

  private:
    void work();
    void stop(); // ends and joins the workers
    void drain();

    std::vector<std::thread> workers_;
    std::mutex busy_, mutex_; // mutex_ guards what follows, as far as it is not atomic
    std::condition_variable wake_;
    Task task_ = nullptr;
    void *context_ = nullptr;
    int count_ = 0;
    bool open_ = false; // a loop that workers may still join
    bool stop_ = false;
    int sleeping_ = 0;
    std::atomic<int> next_{0};
    std::atomic<int> active_{0};          // workers that joined the loop
    std::atomic<uint64_t> generation_{0}; // a new value is a new loop
};

} // namespace ks
