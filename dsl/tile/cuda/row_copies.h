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
    // `name` is part of the names of its registers; `rounds` rows are copied by each of `threads` threads.
    RowCopies(Code &code, const TileOp &op, const std::string &name, int threads, int first, int rounds)
        : code_(code),
          op_(op),
          name_(name),
          rows_at_once_(copied_rows(threads)),
          first_(first),
          rounds_(rounds) {}

    // At the start of a tile: `thread` counts from 0, `base` is the register with the operand's address.
    void begin(const char *thread, const char *base) {
        code_(".reg .b32 %chunk_", name_, ", %row_", name_, ", %place_", name_, ", %left_", name_,
              ", %bytes_", name_, ";");
        code_(".reg .b64 %from_", name_, "<", rounds_, ">, %start_", name_, ", %offset_", name_, ";");
        code_("and.b32 %chunk_", name_, ", ", thread, ", ", chunks_of_row - 1, ";");
        code_("shr.u32 %row_", name_, ", ", thread, ", 3;");
        code_("and.b32 %place_", name_, ", %row_", name_, ", ", chunks_of_row - 1, ";");
        code_("xor.b32 %place_", name_, ", %place_", name_, ", %chunk_", name_, ";");
        code_("shl.b32 %place_", name_, ", %place_", name_, ", 4;");
        code_("mad.lo.u32 %place_", name_, ", %row_", name_, ", ", swizzle_row_bytes, ", %place_", name_,
              ";");
        code_("cvta.to.global.u64 %start_", name_, ", ", base, ";");
        code_("mul.wide.u32 %offset_", name_, ", %chunk_", name_, ", ", chunk_bytes, ";");
        code_("add.u64 %start_", name_, ", %start_", name_, ", %offset_", name_, ";");
        for (int i = 0; i < rounds_; i++) {
            code_("mul.wide.s32 %offset_", name_, ", %ks_row", first_ + i, ", ", bytes_of(op_.storage), ";");
            code_("add.u64 %from_", name_, i, ", %start_", name_, ", %offset_", name_, ";");
        }
        if (op_.ragged_k()) { // bytes of this chunk and all that follow it a swizzle row later
            code_("mul.lo.u32 %left_", name_, ", %chunk_", name_, ", ", chunk_bytes, ";");
            code_("sub.s32 %left_", name_, ", ", op_.K * bytes_of(op_.storage), ", %left_", name_, ";");
        }
    }

    // The next step of K to shared address `to`, a register.
    void step(const char *to) {
        code_.block([&] {
            code_(".reg .b32 %to;");
            code_("add.u32 %to, ", to, ", %place_", name_, ";");
            if (op_.ragged_k()) { // the rest of a chunk is filled with zeros
                code_("max.s32 %bytes_", name_, ", %left_", name_, ", 0;");
                code_("min.s32 %bytes_", name_, ", %bytes_", name_, ", ", chunk_bytes, ";");
                code_("sub.s32 %left_", name_, ", %left_", name_, ", ", swizzle_row_bytes, ";");
            }
            for (int i = 0; i < rounds_; i++) {
                code_("cp.async.cg.shared.global [%to+", i * rows_at_once_ * swizzle_row_bytes, "], [%from_",
                      name_, i, "], ", chunk_bytes, op_.ragged_k() ? ", %bytes_" + name_ + ";" : ";");
                code_("add.u64 %from_", name_, i, ", %from_", name_, i, ", ", swizzle_row_bytes, ";");
            }
        });
    }

  private:
    Code &code_;
    const TileOp &op_;
    std::string name_;
    int rows_at_once_, first_, rounds_;
};

} // namespace ks::tile
