// SPDX-License-Identifier: Apache-2.0
// Tiles of operands in shared memory, copied and read as 32-bit words (dsl/lower/words_pass.h): an f32, or
// two neighbours of 16 bits. Operands of one kind share one Func with a selector: Funcs that are not in use
// at the same time would share memory, which OverlapPass cannot have.
#pragma once
#include "Halide.h"
#include <functional>
#include <string>
#include <vector>

namespace ks {

class TileWords {
  public:
    // Words lie along `along`; rows of `time` beyond `last` are read as `last`.
    TileWords(Halide::Var along, Halide::Var time, std::vector<Halide::Var> outer, Halide::Expr last,
              const std::string &name)
        : tile(name), along_(along), time_(time), outer_(std::move(outer)), last_(std::move(last)) {}

    // Collects the loads at (along, time) in `e`, which must all have 16 bits or all 32. Throws ks::Error for
    // one of another shape.
    void see(const Halide::Expr &e);
    // Defines tile(word, time, which, outer...) as Float(32), once all loads have been seen.
    void define();

    // `e` with the n-th load, an element, replaced by element(n), and every load that does not depend on
    // time, of 32 bits, by held(load).
    using Element = std::function<Halide::Expr(int)>;
    using Held = std::function<Halide::Expr(const Halide::Expr &)>;
    Halide::Expr through(const Halide::Expr &e, const Element &element, const Held &held) const;

    Halide::Func tile;
    Halide::Var word{"word"}, which{"which"};
    int operands() const { return static_cast<int>(loads_.size()); }
    int elements() const { return loads_.empty() ? 2 : 32 / loads_[0].type().bits(); } // of a word

  private:
    friend class ReadTiles;
    Halide::Var along_, time_;
    std::vector<Halide::Var> outer_;
    Halide::Expr last_;
    std::vector<Halide::Expr> loads_;
};

// Half of a word (UInt(32)) as a 16-bit element; which: 0 is the low one.
Halide::Expr half_of(const Halide::Expr &word, const Halide::Expr &which);

} // namespace ks
