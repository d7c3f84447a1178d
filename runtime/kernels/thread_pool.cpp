// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/thread_pool.h"
#include <immintrin.h>

namespace ks {

namespace {
constexpr int spins = 2000; // about 50 microseconds: longer than the gap between two kernels of one token
}

ThreadPool::ThreadPool(int threads) {
    for (int i = 1; i < threads; i++) workers_.emplace_back([this] { work(); });
}

ThreadPool::~ThreadPool() {
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
    {
        std::lock_guard<std::mutex> lock(mutex_);
        task_ = task;
        context_ = context;
        count_ = count;
        next_ = 0;
        active_ = static_cast<int>(workers_.size());
        generation_++;
    }
    wake_.notify_all();
    drain();
    while (active_.load() != 0) _mm_pause();
}

void ThreadPool::work() {
    uint64_t seen = 0;
    for (;;) {
        for (int i = 0; i < spins && generation_.load() == seen; i++) _mm_pause();
        if (generation_.load() == seen) {
            std::unique_lock<std::mutex> lock(mutex_);
            wake_.wait(lock, [&] { return generation_.load() != seen; });
        }
        {
            std::lock_guard<std::mutex> lock(mutex_); // task_ and count_ are complete once this is ours
            seen = generation_.load();
            if (stop_) return;
        }
        drain();
        active_--;
    }
}

} // namespace ks
