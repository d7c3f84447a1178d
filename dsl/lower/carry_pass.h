// SPDX-License-Identifier: Apache-2.0
// Carry pass: keeps the states of a recurrence in vector registers while one serial time loop runs.
//
// Around each time loop of the read-out it puts one stack slot per distinct state address, loaded before the
// loop and stored back after it; inside, ks_carry(load, a, x) becomes slot = a*slot + x in front of its
// store. Every access to a slot has one type and a constant address, so LLVM promotes slots to registers. A
// state is identified by its address, never by a number: unrolled channels, several stages and tails need no
// special case. ks_touch becomes a prefetch in front of the store.
#pragma once
#include "dsl/lower/scoped_pass.h"
#include <string>
#include <vector>

namespace ks {

class CarryPass : public ScopedPass {
  public:
    // Rewrites the loops over `time` in all stages of the Func named `func`.
    CarryPass(std::string func, std::string time) : func_(std::move(func)), time_(std::move(time)) {}

    void verify() const override; // at least one time loop must have carried a state
    int loops() const { return loops_; }
    int slots() const { return slots_; }

  private:
    friend class CarryInStore;
    using ScopedPass::visit;
    struct Slot {
        std::string name;
        Halide::Expr home; // the load of the state
    };

    bool is_time_loop(const std::string &name) const;
    size_t slot_of(const Halide::Internal::Load *load);

    Halide::Internal::Stmt visit(const Halide::Internal::Store *op) override;
    Halide::Internal::Stmt visit(const Halide::Internal::For *op) override;

    std::string func_, time_;
    int loops_ = 0, slots_ = 0;
    bool inside_ = false;
    std::vector<Slot> here_; // slots of the time loop being rewritten
};

} // namespace ks
