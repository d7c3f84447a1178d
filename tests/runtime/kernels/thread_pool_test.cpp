// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/thread_pool.h"
#include <atomic>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace ks {
namespace {

struct Counts {
    std::vector<std::atomic<int>> of;
    explicit Counts(size_t n) : of(n) {}
    static void task(void *context, int i) { static_cast<Counts *>(context)->of[static_cast<size_t>(i)]++; }
};

void expect_each_once(ThreadPool &pool, int tasks, int loops) {
    for (int l = 0; l < loops; l++) {
        Counts counts(static_cast<size_t>(tasks));
        pool.run(tasks, Counts::task, &counts);
        for (auto &c : counts.of) ASSERT_EQ(c, 1);
    }
}

TEST(ThreadPool, EveryTaskOnce) {
    for (int threads : {1, 2, 3, 8}) {
        ThreadPool pool(threads);
        EXPECT_EQ(pool.threads(), threads);
        for (int tasks : {0, 1, 2, 7, 100}) expect_each_once(pool, tasks, 200);
    }
}

TEST(ThreadPool, SeveralCallersAtOnce) {
    ThreadPool pool(3);
    std::vector<std::thread> callers;
    for (int i = 0; i < 4; i++) callers.emplace_back([&] { expect_each_once(pool, 9, 2000); });
    for (auto &c : callers) c.join();
}

TEST(ThreadPool, WakesAfterSleep) {
    ThreadPool pool(2);
    for (int i = 0; i < 5; i++) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        expect_each_once(pool, 4, 1);
    }
}

} // namespace
} // namespace ks
