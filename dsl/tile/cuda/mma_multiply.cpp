// SPDX-License-Identifier: Apache-2.0
// All steps of K of one tile, copied `stages - 1` steps ahead of their use. Tiles lie in shared memory as
// wgmma has them, rows of 128 bytes with swizzled chunks, which ldmatrix reads without bank conflicts.
#include "dsl/tile/cuda/fragment.h"
#include "dsl/tile/cuda/mma.h"
#include "dsl/tile/cuda/row_copies.h"
#include "dsl/tile/cuda/shared_calls.h"
#include "dsl/tile/cuda/shared_layout.h"

namespace ks::tile::mma {

namespace {

// Copies of one step to the stage at %fill, then %fill moves on. A group is committed even when K is over, so
// that the number of groups in flight stays the same.
void fill(Code &code, const TileOp &op, RowCopies &a, RowCopies &w) {
    code.block([&] {
        code(".reg .pred %over, %around;");
        code(".reg .b32 %at_w;");
        code("setp.ge.s32 %over, %copied, ", steps_of(op), ";");
        code("@%over bra NOTHING;");
        a.step("%fill");
        code("add.u32 %at_w, %fill, ", op.a_bytes(), ";");
        w.step("%at_w");
        code("NOTHING:");
        code("cp.async.commit_group;");
        code("add.s32 %copied, %copied, 1;");
        code("add.u32 %fill, %fill, ", op.stage_bytes(), ";");
        code("setp.eq.u32 %around, %fill, %ring_end;");
        code("@%around mov.u32 %fill, %ring;");
    });
}

// A fragment of 16 rows or two of 8 columns: four 8 x 8 matrices. %rows is the lane's row in the stage, in
// bytes, %chunk the chunk in it, without swizzle.
void load_matrices(Code &code, const std::string &into, const char *rows, const char *chunk, int offset,
                   int part) {
    code.block([&] {
        code(".reg .b32 %at;");
        code("add.u32 %at, ", chunk, ", ", part * 2, ";");
        code("xor.b32 %at, %at, %lane_row;");
        code("shl.b32 %at, %at, 4;");
        code("add.u32 %at, %at, ", rows, ";");
        code("add.u32 %at, %at, %use;");
        code("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {", into, "0, ", into, "1, ", into, "2, ", into,
             "3}, [%at+", offset, "];");
    });
}

void instruction(Code &code, const TileOp &op, int slab, int group, const std::string &a,
                 const std::string &w) {
    const char *type = op.storage == Storage::bf16 ? "bf16" : "f16";
    int first = slab * op.columns / 2 + group * 4;
    std::ostringstream acc;
    for (int i = 0; i < 4; i++) acc << (i ? ", %ks_acc" : "%ks_acc") << first + i;
    code("mma.sync.aligned.m16n8k16.row.col.f32.", type, ".", type, ".f32 {", acc.str(), "}, {", a, "0, ", a,
         "1, ", a, "2, ", a, "3}, {", w, group % 2 * 2, ", ", w, group % 2 * 2 + 1, "}, {", acc.str(), "};");
}

// One step from the stage at %use.
void compute(Code &code, const TileOp &op) {
    for (int part = 0; part < step_k / instruction_k; part++) {
        for (int slab = 0; slab < op.slabs; slab++)
            load_matrices(code, "%a" + std::to_string(slab) + "_", "%rows_a", "%chunk_of_a",
                          slab * slab_rows * swizzle_row_bytes, part);
        for (int group = 0; group < op.columns / group_columns; group += 2) {
            load_matrices(code, "%w", "%rows_w", "%chunk_of_w",
                          op.a_bytes() + group * group_columns * swizzle_row_bytes, part);
            for (int slab = 0; slab < op.slabs; slab++)
                for (int i = 0; i < 2; i++)
                    instruction(code, op, slab, group + i, "%a" + std::to_string(slab) + "_", "%w");
        }
    }
}

// Where a lane reads: of A rows lane % 16, chunk lane / 16; of W rows lane % 8 + 8 (lane / 16), chunk lane /
// 8 % 2.
void lanes(Code &code, const TileOp &op) {
    code("and.b32 %lane, %thread, 31;");
    code("and.b32 %lane_row, %lane, 7;"); // of either operand, for the swizzle
    code("shr.u32 %chunk_of_a, %lane, 4;");
    code("shr.u32 %rows_a, %thread, 7;"); // warpgroup, warp, row
    code("mul.lo.u32 %rows_a, %rows_a, ", op.slabs * slab_rows, ";");
    code("bfe.u32 %rows_w, %thread, 5, 2;");
    code("mad.lo.u32 %rows_a, %rows_w, ", warp_rows, ", %rows_a;");
    code("and.b32 %rows_w, %lane, 15;");
    code("add.u32 %rows_a, %rows_a, %rows_w;");
    code("mul.lo.u32 %rows_a, %rows_a, ", swizzle_row_bytes, ";");
    code("mad.lo.u32 %rows_w, %chunk_of_a, 8, %lane_row;");
    code("mul.lo.u32 %rows_w, %rows_w, ", swizzle_row_bytes, ";");
    code("bfe.u32 %chunk_of_w, %lane, 3, 1;");
}

} // namespace

void multiply(Code &code, const TileOp &op) {
    int rows_at_once = copied_rows(op.threads()), rounds_a = op.rows() / rows_at_once;
    RowCopies a(code, op, "a", op.threads(), 0, rounds_a),
        w(code, op, "w", op.threads(), rounds_a, op.columns / rows_at_once);
    code(".reg .b32 %thread, %lane, %lane_row, %chunk_of_a, %chunk_of_w, %rows_a, %rows_w;");
    code(".reg .b32 %ring, %ring_end, %fill, %use, %copied, %step, %w<4>;");
    for (int slab = 0; slab < op.slabs; slab++) code(".reg .b32 %a", slab, "_<4>;");
    code(".reg .pred %more, %round;");
    code("mov.u32 %thread, %tid.x;");
    lanes(code, op);
    a.begin("%thread", "%ks_a");
    w.begin("%thread", "%ks_w");
    for (int i = 0; i < op.accumulators(); i++) code("mov.f32 %ks_acc", i, ", 0f00000000;");
    code("add.u32 %ring, %ks_base, ", SharedLayout::ring, ";");
    code("add.u32 %ring_end, %ring, ", op.stages * op.stage_bytes(), ";");
    code("mov.u32 %fill, %ring;");
    code("mov.u32 %use, %ring;");
    code("mov.u32 %copied, 0;");
    code("mov.u32 %step, 0;");
    code("bar.sync 0;"); // the tile before has been read
    for (int i = 0; i < op.stages - 1; i++) fill(code, op, a, w);
    code("STEP:");
    code("cp.async.wait_group ", op.stages - 2, ";");
    code("bar.sync 0;"); // all copies of this stage have arrived, and the one to be filled has been read
    fill(code, op, a, w);
    compute(code, op);
    code("add.u32 %use, %use, ", op.stage_bytes(), ";");
    code("setp.eq.u32 %round, %use, %ring_end;");
    code("@%round mov.u32 %use, %ring;");
    code("add.u32 %step, %step, 1;");
    code("setp.lt.u32 %more, %step, ", steps_of(op), ";");
    code("@%more bra STEP;");
    code("cp.async.wait_group 0;");
}

} // namespace ks::tile::mma
