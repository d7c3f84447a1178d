// SPDX-License-Identifier: Apache-2.0
// Proofs about the four neighbouring lanes, a quad, that hold a row of a group of eight columns (fragment.h).
#pragma once
#include "dsl/tile/cuda/fragment.h"
#include <array>
#include <string>
#include <vector>

namespace ks::tile {

// An integer that every thread computes. In all quads its values lie at the same steps from that of lane 0.
class QuadValue {
  public:
    using Steps = std::array<int64_t, lanes_of_row>;
    QuadValue(const Steps &steps, const Halide::Internal::ModulusRemainder &first)
        : steps_(steps), first_(first) {}

    const Steps &steps() const { return steps_; }
    QuadValue plus(int64_t offset) const;
    // Whether lane 0 has a multiple of `unit` in every quad.
    bool begins_at_multiple(int64_t unit) const;
    // Whether `value <= 0` holds in all lanes of a quad or in none.
    bool same_sign() const;

  private:
    Steps steps_;
    Halide::Internal::ModulusRemainder first_; // of lane 0
    bool may_begin_at(int64_t value) const;
};

// The values of a block's threads, those that differ by constants proved but once.
class QuadValues {
  public:
    // `known`: of variables from around the code of a thread.
    using Known = Halide::Internal::Scope<Halide::Internal::ModulusRemainder>;
    QuadValues(const std::string &thread, int threads, const Known *known = nullptr)
        : thread_(thread), threads_(threads), known_of_variables_(known) {}

    struct Found {
        size_t like;    // number of the first expression asked about that differs by a constant ...
        int64_t offset; // ... this one
        QuadValue value;
    };
    // Throws ks::Error where quads differ in their steps.
    Found find(const Halide::Expr &e);

  private:
    std::string thread_;
    int threads_;
    const Known *known_of_variables_;
    std::vector<std::pair<Halide::Expr, QuadValue>> known_;
    QuadValue prove(const Halide::Expr &e) const;
};

} // namespace ks::tile
