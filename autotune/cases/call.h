// SPDX-License-Identifier: Apache-2.0
// A problem in the memory of a device: the arguments of a kernel that solves it, whole or in the parts that
// threads would take, and what it left behind.
#pragma once
#include "autotune/cases/problem.h"
#include "autotune/device.h"
#include <memory>
#include <tuple>

namespace ks::cases {

// How many copies of operands calls take turns with: of the weights (operand w), and of each other operand;
// and whether there are guards around them.
struct Copies {
    int weights = 1, others = 1;
    bool guarded = true;
    bool operator<(const Copies &o) const { return key() < o.key(); }
    bool operator==(const Copies &o) const { return key() == o.key(); }
    std::tuple<int, int, bool> key() const { return {weights, others, guarded}; }
};

// Of the contract's sliced dimension; length 0: all of it.
struct Part {
    int64_t first = 0, length = 0;
};

class Call {
  public:
    // As a kernel gets it: one sequence, or on a device that packs them all of equal length. Throws ks::Error
    // when memory runs out.
    Call(Problem problem, tune::Device &device, Copies copies = {});

    const Problem &problem() const { return problem_; }
    tune::Device &device() const { return device_; }
    size_t bytes() const; // of all operands, once

    // Kernel arguments with the first copy of every operand, or with the next one; valid until the next call.
    void **arguments(const Part &part = {}) { return arguments(0, part); }
    void **next() { return arguments(turn_++, {}); }
    // As the runtime cuts a call for so many threads; one whole part where the op has no slice.
    std::vector<Part> parts(int threads) const;

    void reset(); // puts written operands back to what the problem says
    // Of the first copy; `stored`: as it lies in memory.
    Values result(const std::string &name) const;
    std::vector<uint8_t> stored(const std::string &name) const;
    // Guards that were written to, or inputs that have changed; empty when all is well.
    std::string damage() const;

  private:
    struct Held {
        const Operand *operand;
        std::string storage;
        std::vector<int64_t> extent, stride;  // outermost first, in elements
        std::vector<uint8_t> image;           // what the problem says
        size_t copies, pitch;                 // pitch: bytes from one copy to the next
        std::unique_ptr<tune::Memory> memory; // null for an optional operand that is not there
        KernelBuffer buffer{};
        std::vector<KernelDim> dims;
    };
    bool packed() const { return device_.packed() && !problem_.contract->ragged.empty(); }
    Held make(const Operand &operand, int copies, bool guarded) const;
    void **arguments(size_t turn, const Part &part);
    void view(Held &held, size_t turn, const Part &part);

    Problem problem_;
    tune::Device &device_;
    std::vector<Held> held_; // in contract order
    size_t turn_ = 0;
    int32_t flags_ = 0;
    float eps_ = 0;
    // Of packed calls, behind the buffers and behind the scalars.
    KernelBuffer seq_start_{};
    KernelDim seq_start_dim_{};
    int32_t equal_steps_ = 0, alignment_ = 16; // alignment_: of all addresses and rows, in bytes, at most 16
    std::vector<void *> arguments_;
};

} // namespace ks::cases
