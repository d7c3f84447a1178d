// SPDX-License-Identifier: Apache-2.0
// Overlap pass: software pipelining of the stages of a GPU block over its serial loop over tiles, with one
// barrier a tile.
//
// Halide puts a barrier between any two stages that meet in shared memory:
//   tile k:  copy | prepare | main | epilogue |
// This pass doubles every shared buffer and lets iteration k do what is ready of four tiles at once:
//   tile k:  registers(k+1), epilogue loads(k-1), copy(k+2), main(k), prepare(k+1), epilogue(k-1) |
// with copy(0) | registers(0), prepare(0), copy(1) | in front of the loop and epilogue(n-1) behind it. Copies
// that main reads as they are, `direct`, are made for tile k + 1 before main(k).
// Shared loads stand before shared stores, because nothing moves a load over a store there. With `load_late`
// the consumer's register copies are loaded last instead: one tile of them less is kept, where registers are
// short.
//
// The algorithm must clamp what it copies: tiles up to n + 1 are copied. What the schedule must give, all of
// it checked:
//   - one serial loop `tile` of the consumer, inside the thread loops, whose body has no block-level loops;
//   - one shared allocation of 32-bit elements, in which the stages' buffers do not overlap (buffers that are
//   not in use at
//     the same time share memory: a stage's may only be read by the stage after it, so tie such ones
//     together);
//   - copy reads no shared memory; the Funcs in `registers` read what it copied, and nobody else does; main
//     reads prepared buffers and `direct` copies; the epilogue, which is all the rest, reads main's buffer;
//   - `registers` and `once` are Funcs in registers (unrolled). Those of the consumer are kept for two tiles.
//     `once` do not depend on the tile: they are computed before the loop.
#pragma once
#include "dsl/lower/scoped_pass.h"
#include <set>
#include <vector>

namespace ks {

struct OverlapStages {
    std::string consumer, tile;   // the loop: a Func and the Var
    std::set<std::string> copies; // Funcs
    std::set<std::string> prepared;
    std::string main;
    std::set<std::string> registers, once;
    std::set<std::string> direct = {}; // Funcs
    bool load_late = false;
};

// `value`, written so that shared memory which `load` reads is not given to another Func before. The pass
// takes it away again.
Halide::Expr keep_until(const Halide::Expr &value, const Halide::Expr &load);

class OverlapPass : public ScopedPass {
  public:
    explicit OverlapPass(OverlapStages stages) : stages_(std::move(stages)) {}
    void verify() const override; // the loop was found

  private:
    using ScopedPass::visit;
    Halide::Expr visit(const Halide::Internal::Call *op) override;
    Halide::Internal::Stmt visit(const Halide::Internal::Allocate *op) override;
    Halide::Internal::Stmt visit(const Halide::Internal::For *op) override;

    OverlapStages stages_;
    std::string shared_; // the allocation
    Halide::Expr half_;  // its size before doubling, rounded to 16 bytes
    std::vector<std::pair<std::string, Halide::Internal::Interval>> around_; // loops around the place
    std::set<std::string> registers_; // arrays in registers around the place
    bool done_ = false;
};

} // namespace ks
