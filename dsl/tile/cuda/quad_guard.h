// SPDX-License-Identifier: Apache-2.0
// Conditions taken off stores, and what the stored values load: without the condition it must not read beside
// what exists. What another store of the same thread loads under fewer conditions, such as the scale of a
// row, which all of its columns need, is loaded under those, once.
#pragma once
#include "dsl/tile/cuda/edges.h"
#include "dsl/tile/cuda/lets.h"

namespace ks::tile {

// All of several conditions.
class Guard {
  public:
    Guard(const std::vector<Halide::Expr> &conditions, InlineLets &lets);
    // That of `yes` where `which` holds, else that of `no`.
    static Guard either(const Halide::Expr &which, const Guard &yes, const Guard &no);

    const Halide::Expr &condition() const { return condition_; }
    // Single conditions, with lets in place, that hold where this does: all that it consists of, unless it is
    // either of two.
    const std::vector<Halide::Expr> &terms() const { return terms_; }
    bool implies(const Guard &weaker) const;

  private:
    Guard() = default;
    bool has(const Halide::Expr &term) const;
    Halide::Expr condition_;
    std::vector<Halide::Expr> terms_;
    bool whole_ = true; // terms_ are all
};

class GuardedLoads {
  public:
    // `own` memory is there for all threads.
    GuardedLoads(const std::set<std::string> &own, InlineLets &lets) : own_(own), lets_(lets) {}

    // The code loads what is in `e` where the guard holds.
    void add(const Halide::Expr &e, const Guard &guard);
    // For code that runs anyway: the value of `e`, where the guard holds.
    Halide::Expr inside(const Halide::Expr &e, const Guard &guard) const;

  private:
    const std::set<std::string> &own_;
    InlineLets &lets_;
    std::vector<std::pair<Halide::Expr, Guard>> loads_; // with lets in place
};

} // namespace ks::tile
