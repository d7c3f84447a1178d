// SPDX-License-Identifier: Apache-2.0
// What every lowering pass of the language has in common: it rewrites the IR of one pipeline after Halide has
// unrolled and vectorised it, and says afterwards whether it met what the schedule promised.
#pragma once
#include "Halide.h"
#include <string>

namespace ks {

class LoweringPass : public Halide::Internal::IRMutator {
  public:
    // Called once lowering is over; throws ks::Error that names the assumption which does not hold.
    virtual void verify() const = 0;
};

// Pseudo-calls are pure externs named ks_*: legal anywhere in an algorithm, removed by a pass. One that
// survives would be an undefined symbol, so compile() refuses it by name.
inline Halide::Expr pseudo_call(const Halide::Type &type, const std::string &name,
                                const std::vector<Halide::Expr> &args) {
    return Halide::Internal::Call::make(type, name, args, Halide::Internal::Call::PureExtern);
}

} // namespace ks
