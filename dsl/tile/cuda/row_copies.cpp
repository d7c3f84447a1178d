// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/row_copies.h"

namespace ks::tile {

RowCopies::RowCopies(Code &code, const TileOp &op, const std::string &name, int threads, int first,
                     int rounds)
    : code_(code),
      op_(op),
      rows_at_once_(copied_rows(threads)),
      first_(first),
      rounds_(rounds),
      place_("%place_" + name),
      left_("%left_" + name),
      from_("%from_" + name) {}

void RowCopies::begin(const char *thread, const char *base) {
    code_(".reg .b32 ", place_, ", ", left_, ";");
    code_(".reg .b64 ", from_, "<", rounds_, ">;");
    code_.block([&] {
        code_(".reg .b32 %chunk, %row;");
        code_(".reg .b64 %start, %offset;");
        code_("and.b32 %chunk, ", thread, ", ", chunks_of_row - 1, ";");
        code_("shr.u32 %row, ", thread, ", 3;");
        code_("and.b32 ", place_, ", %row, ", chunks_of_row - 1, ";");
        code_("xor.b32 ", place_, ", ", place_, ", %chunk;");
        code_("shl.b32 ", place_, ", ", place_, ", 4;");
        code_("mad.lo.u32 ", place_, ", %row, ", swizzle_row_bytes, ", ", place_, ";");
        code_("cvta.to.global.u64 %start, ", base, ";");
        code_("mul.wide.u32 %offset, %chunk, ", chunk_bytes, ";");
        code_("add.u64 %start, %start, %offset;");
        for (int i = 0; i < rounds_; i++) {
            code_("mul.wide.s32 %offset, %ks_row", first_ + i, ", ", bytes_of(op_.storage), ";");
            code_("add.u64 ", from_, i, ", %start, %offset;");
        }
        if (!op_.ragged_k()) return;
        code_("mul.lo.u32 ", left_, ", %chunk, ", chunk_bytes, ";");
        if (!op_.K) code_("mul.lo.u32 %row, %ks_k, ", bytes_of(op_.storage), ";");
        code_("sub.s32 ", left_, ", ", op_.K ? std::to_string(op_.K * bytes_of(op_.storage)) : "%row", ", ",
              left_, ";");
    });
}

void RowCopies::step(const char *to) {
    code_.block([&] {
        code_(".reg .b32 %place, %bytes;");
        code_("add.u32 %place, ", to, ", ", place_, ";");
        if (op_.ragged_k()) { // the rest of a chunk is filled with zeros
            code_("max.s32 %bytes, ", left_, ", 0;");
            code_("min.s32 %bytes, %bytes, ", chunk_bytes, ";");
            code_("sub.s32 ", left_, ", ", left_, ", ", swizzle_row_bytes, ";");
        }
        for (int i = 0; i < rounds_; i++) {
            code_("cp.async.cg.shared.global [%place+", i * rows_at_once_ * swizzle_row_bytes, "], [", from_,
                  i, "], ", chunk_bytes, op_.ragged_k() ? ", %bytes;" : ";");
            code_("add.u64 ", from_, i, ", ", from_, i, ", ", swizzle_row_bytes, ";");
        }
    });
}

} // namespace ks::tile
