// SPDX-License-Identifier: Apache-2.0
// Lanes pass: several lanes of a warp for every iteration of a loop over GPU threads. The algorithm asks
// which of them it runs in, lane_of(), does a part of the work, and adds up what the lanes have, lane_sum();
// all else they do alike, and store the same values to the same places. Lanes of one iteration lie 32/lanes
// apart, so that neighbouring lanes stay neighbouring iterations and memory is read as before. A thread that
// has no iteration must be done with: there may be no barrier among these threads (checked).
#pragma once
#include "dsl/lowering_pass.h"
#include "dsl/ptx/text.h"
#include <map>

namespace ks {

// 0 .. lanes-1; `iteration` is any expression that differs between iterations.
Halide::Expr lane_of(const Halide::Expr &iteration, int lanes);

// The sum of an f32 over the lanes of an iteration, the same bits in all. Every lane must come by here.
Halide::Expr lane_sum(const Halide::Expr &value, int lanes);

// What lane_sum() becomes in the PTX.
std::map<std::string, ptx::Expansion> lane_expansions();

class LanesPass : public LoweringPass {
  public:
    explicit LanesPass(int lanes); // 2, 4, 8 or 16; throws ks::Error for others

    void verify() const override; // there was a loop that asks for its lane

  private:
    using IRMutator::visit;
    Halide::Internal::Stmt visit(const Halide::Internal::For *op) override;
    Halide::Expr visit(const Halide::Internal::Call *op) override;

    int lanes_, loops_ = 0;
    Halide::Expr lane_;
};

} // namespace ks
