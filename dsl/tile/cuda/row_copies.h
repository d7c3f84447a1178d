// SPDX-License-Identifier: Apache-2.0
// Rows of an operand into shared memory by cp.async, 16 bytes a thread, in the 128-byte swizzle: thread p
// copies chunk p % 8 of rows p / 8, p / 8 + threads / 8, ... to chunk (p % 8) ^ (row % 8) of their place.
// Where the rows begin is in registers %ks_row<first>, ..., in elements (calls::set_row).
#pragma once
#include "dsl/tile/cuda/code.h"
#include "dsl/tile/cuda/tile_op.h"

namespace ks::tile {

class RowCopies {
  public:
    // `name` tells its registers from those of another operand; `rounds` rows are copied by each of `threads`
    // threads.
    RowCopies(Code &code, const TileOp &op, const std::string &name, int threads, int first, int rounds);

    // At the start of a tile: `thread` counts from 0, `base` is the register with the operand's address.
    void begin(const char *thread, const char *base);
    // The next step of K to the shared address in register `to`.
    void step(const char *to);

  private:
    Code &code_;
    const TileOp &op_;
    int rows_at_once_, first_, rounds_;
    // Registers that live from step to step: place of the thread's chunk in a stage, bytes of it that K has
    // left, and where each of its rows goes on.
    std::string place_, left_, from_;
};

} // namespace ks::tile
