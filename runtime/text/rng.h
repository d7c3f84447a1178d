// SPDX-License-Identifier: Apache-2.0
// xoshiro256** (Blackman and Vigna, public domain), seeded by splitmix64: the same numbers on every platform.
#pragma once
#include <array>
#include <cstdint>

namespace ks::text {

class Rng {
  public:
    explicit Rng(uint64_t seed) {
        for (uint64_t &word : state_) word = split_mix(seed);
    }
    explicit Rng(const std::array<uint64_t, 4> &state) : state_(state) {} // not all zero

    // Rng(state()) draws the same from here on.
    const std::array<uint64_t, 4> &state() const { return state_; }

    uint64_t next() {
        const uint64_t result = rotate(state_[1] * 5, 7) * 9;
        const uint64_t shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = rotate(state_[3], 45);
        return result;
    }

    // Uniform in [0, 1), of 53 bits.
    double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

    // One step of splitmix64, which moves `state` on.
    static uint64_t split_mix(uint64_t &state) {
        uint64_t z = state += 0x9E3779B97F4A7C15u;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
        z = (z ^ z >> 27) * 0x94D049BB133111EBu;
        return z ^ z >> 31;
    }

  private:
    static uint64_t rotate(uint64_t x, int k) { return x << k | x >> (64 - k); }
    std::array<uint64_t, 4> state_;
};

} // namespace ks::text
