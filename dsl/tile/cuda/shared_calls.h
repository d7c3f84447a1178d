// SPDX-License-Identifier: Apache-2.0
// Pseudo-calls that are the same instructions for every emitter.
#pragma once
#include "dsl/ptx/text.h"
#include "dsl/tile/cuda/code.h"
#include "dsl/tile/cuda/tile_op.h"

namespace ks::tile {

// How many steps of K there are, as an operand of an instruction: a number, or a register that is set where
// the launch says K, %ks_steps, beside %ks_k.
std::string steps_of(const TileOp &op);

std::map<std::string, ptx::Expansion> shared_expansions(const TileOp &op);

// An expansion that appends to Code.
template <typename Emit>
ptx::Expansion expansion(Emit emit) {
    return [emit](const ptx::PseudoCall &call) {
        Code code;
        emit(code, call);
        return code.text() + "\n\t";
    };
}

} // namespace ks::tile
