// SPDX-License-Identifier: Apache-2.0
#include "autotune/cases/values.h"
#include "tests/oracles/rounding.h"
#include <algorithm>
#include <atomic>
#include <random>
#include <thread>

namespace ks::cases {

namespace {
constexpr size_t block_elements = 1 << 16;
}

void in_blocks(size_t count, size_t size, const std::function<void(size_t, size_t)> &work) {
    size_t blocks = (count + size - 1) / size;
    std::atomic<size_t> next{0};
    auto take = [&] {
        for (size_t block; (block = next++) < blocks;)
            work(block * size, std::min(count, (block + 1) * size));
    };
    std::vector<std::thread> others(
        std::min<size_t>(blocks, std::max(1u, std::thread::hardware_concurrency())) - (blocks > 0));
    for (std::thread &t : others) t = std::thread(take);
    take();
    for (std::thread &t : others) t.join();
}

void in_blocks(size_t count, const std::function<void(size_t, size_t)> &work) {
    in_blocks(count, block_elements, work);
}

std::vector<double> normal(size_t count, int seed, double scale) {
    std::vector<double> v(count);
    in_blocks(count,
              [&](size_t first, size_t end) { // each block from a seed of its own, the first from `seed`
                  std::mt19937 generator(static_cast<unsigned>(seed + 1009 * (first / block_elements)));
                  std::normal_distribution<float> distribution;
                  for (size_t i = first; i < end; i++)
                      v[i] = static_cast<float>(distribution(generator) * scale);
              });
    return v;
}

std::vector<double> stored(const std::string &storage, std::vector<double> values) {
    auto to = storage == "bf16"  ? oracle::Rounding::bf16
              : storage == "f16" ? oracle::Rounding::f16
                                 : oracle::Rounding::none;
    in_blocks(values.size(), [&](size_t first, size_t end) {
        for (size_t i = first; i < end; i++) values[i] = oracle::rounded(values[i], to);
    });
    return values;
}

} // namespace ks::cases
