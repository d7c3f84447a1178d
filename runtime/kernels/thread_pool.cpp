// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/thread_pool.h"
#include <immintrin.h>

namespace ks {

namespace {
constexpr int spins = 2000; // about 50 microseconds: longer than the gap between two kernels of one token
}

ThreadPool::ThreadPool(int threads) {
    try {
        for (int i = 1; i < threads; i++) workers_.emplace_back([this] { work(); });
    } catch (...) { // the system gives no more threads
        stop();
        throw;
    }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
    {
        std::lock_guard<std::mutex> lock(mutex_);
        stop_ = true;
        generation_++;
    }
    wake_.notify_all();
    for (auto &w : workers_) w.join();
}

void ThreadPool::drain() {
    for (int i = next_++; i < count_; i = next_++) task_(context_, i);
}

void ThreadPool::run(int count, Task task, void *context) {
    std::unique_lock<std::mutex> mine(busy_, std::try_to_lock);
    if (count <= 1 || workers_.empty() || !mine.owns_lock()) {
        for (int i = 0; i < count; i++) task(context, i);
        return;
    }
    bool asleep;
    {
        std::lock_guard<std::mutex> lock(mutex_);
        task_ = task;
        context_ = context;
        count_ = count;
        next_ = 0;
        open_ = true;
        generation_++;
        asleep = sleeping_ > 0;
    }
    if (asleep) wake_.notify_all();
    drain();
    {
        // Whoever has not come by now has nothing left to do: on a busy machine that saves a wait for a
        // worker that does not get a core.
        std::lock_guard<std::mutex> lock(mutex_);
        open_ = false;
    }
    while (active_.load() != 0) _mm_pause();
}

void ThreadPool::work() {
    uint64_t seen = 0;
    for (;;) {
        for (int i = 0; i < spins && generation_.load() == seen; i++) _mm_pause();
        {
            std::unique_lock<std::mutex> lock(mutex_);
            sleeping_++;
            wake_.wait(lock, [&] { return generation_.load() != seen; });
            sleeping_--;
            seen = generation_.load();
            if (stop_) return;
            if (!open_) continue;
            active_++;
        }
        drain();
        active_--;
    }
}

} // namespace ks
