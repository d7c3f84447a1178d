// SPDX-License-Identifier: Apache-2.0
// Results on their way out: 64 x 64 of a warpgroup at a time are staged in shared memory, swizzled so that no
// two lanes meet in a bank, and leave as one asynchronous box of the output's tensor map, which clips what
// lies outside of it. A second buffer fills meanwhile.
#include "dsl/tile/cuda/fragment.h"
#include "dsl/tile/cuda/operands.h"
#include "dsl/tile/cuda/ring.h"
#include "dsl/tile/cuda/wgmma.h"

namespace ks::tile::wgmma {

namespace {

constexpr int chunk_shift = 4; // the swizzle moves 16 bytes: one group of 8 columns

void warpgroup_barrier(Code &code) { code("bar.sync %ks_group_barrier, ", warpgroup_threads, ";"); }

} // namespace

// %ks_cell = buffer + row * 128 bytes + (chunk 0 of that row, swizzled) + pair; chunk c is then at %ks_cell
// with c xor-ed into the bits of the chunk.
void begin_stores(Code &code, const TileOp &op) {
    int buffers = SharedLayout::store_buffers * store_block_bytes;
    code(".reg .b32 %thread, %group, %part;");
    code("mov.u32 %thread, %tid.x;");
    code("shr.u32 %group, %thread, 7;");
    code("add.u32 %ks_group_barrier, %group, 1;");
    code("and.b32 %thread, %thread, ", warpgroup_threads - 1, ";");
    code("setp.eq.u32 %ks_leader, %thread, 0;");
    code("mov.u32 %ks_other, 0;");
    code("mad.lo.u32 %ks_cell, %group, ", buffers, ", %ks_base;");
    code("add.u32 %ks_cell, %ks_cell, ", SharedLayout(op).staging, ";");
    code("shr.u32 %part, %thread, 5;"); // warp
    code("mad.lo.u32 %ks_cell, %part, ", warp_rows * swizzle_row_bytes, ", %ks_cell;");
    code("and.b32 %thread, %thread, 31;");
    code("shr.u32 %part, %thread, 2;"); // row of the lane; its chunk 0 goes to chunk row % 8
    code("mad.lo.u32 %ks_cell, %part, ", swizzle_row_bytes + (1 << chunk_shift), ", %ks_cell;");
    code("and.b32 %part, %thread, ", lanes_of_row - 1, ";");
    code("mad.lo.u32 %ks_cell, %part, 4, %ks_cell;");
}

// The box that left from this buffer has been read; all of the warpgroup know it.
void open_block(Code &code) {
    code("@%ks_leader cp.async.bulk.wait_group.read 1;");
    warpgroup_barrier(code);
    code("add.u32 %ks_open, %ks_cell, %ks_other;");
}

void stage(Code &code, const ptx::PseudoCall &call) {
    int chunk = number(call, 0), half = number(call, 1);
    code(".reg .b32 %at;");
    code("xor.b32 %at, %ks_open, ", chunk << chunk_shift, ";");
    code("st.shared.b32 [%at+", half * half_rows * swizzle_row_bytes, "], ", call.arguments.at(2), ";");
}

// Arguments: row and column of the block in the output, for warpgroup 0. The leader's cell is the buffer's
// first.
void store_block(Code &code, const TileOp &op, const ptx::PseudoCall &call) {
    code(".reg .b32 %row, %group;");
    code(".reg .b64 %out;");
    code("fence.proxy.async.shared::cta;");
    warpgroup_barrier(code);
    code("@!%ks_leader bra SENT;");
    code("sub.u32 %group, %ks_group_barrier, 1;");
    code("mad.lo.u32 %row, %group, ", op.slabs * slab_rows, ", ", call.arguments.at(0), ";");
    code("mov.b64 %out, ", map_of_out, ";");
    code("cvta.param.u64 %out, %out;");
    code("cp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group [%out, {", call.arguments.at(1),
         ", %row}], [%ks_open];");
    code("cp.async.bulk.commit_group;");
    code("SENT:");
    code("xor.b32 %ks_other, %ks_other, ", store_block_bytes, ";");
}

} // namespace ks::tile::wgmma
