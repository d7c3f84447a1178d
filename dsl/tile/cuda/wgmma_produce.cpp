// SPDX-License-Identifier: Apache-2.0
// Producers: all steps of K of one tile into the ring. Boxes of tensor maps are copied by one thread;
// gathered rows by a warpgroup, 16 bytes a thread, in the swizzle that wgmma expects. (A box for each
// gathered row took five times as long: 31 ns a row on an H200.)
#include "dsl/tile/cuda/ring.h"
#include "dsl/tile/cuda/wgmma.h"

namespace ks::tile::wgmma {

namespace {

constexpr int chunk_bytes = 16; // of one cp.async
constexpr int chunks_of_row = swizzle_row_bytes / chunk_bytes;
constexpr int rows_at_once = warpgroup_threads / chunks_of_row;

void load_box(Code &code, const char *predicate, const char *map, const std::string &row) {
    code(predicate,
         "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%to], [", map,
         ", {%k, ", row, "}], [%full];");
}

void address_of_map(Code &code, const char *name, const char *map) {
    code(".reg .b64 ", name, ";");
    code("mov.b64 ", name, ", ", map, ";");
    code("cvta.param.u64 ", name, ", ", name, ";");
}

// Thread p copies chunk p % 8 of rows p / 8 + 16 i to chunk (p % 8) ^ (row % 8) of their place in the stage.
class GatheredRows {
  public:
    GatheredRows(Code &code, const TileOp &op) : code_(code), op_(op), rounds_(op.rows() / rows_at_once) {}

    void begin() {
        code_(".reg .b32 %chunk, %row, %place, %left, %bytes;");
        code_(".reg .b64 %from<", rounds_, ">, %start, %offset;");
        code_("sub.u32 %row, %thread, ", op_.consumers(), ";");
        code_("and.b32 %chunk, %row, ", chunks_of_row - 1, ";");
        code_("shr.u32 %row, %row, 3;");
        code_("and.b32 %place, %row, ", chunks_of_row - 1, ";");
        code_("xor.b32 %place, %place, %chunk;");
        code_("shl.b32 %place, %place, 4;");
        code_("mad.lo.u32 %place, %row, ", swizzle_row_bytes, ", %place;");
        code_("cvta.to.global.u64 %start, %ks_a;");

        code_("mul.wide.u32 %offset, %chunk, ", chunk_bytes, ";");
        code_("add.u64 %start, %start, %offset;");
        for (int i = 0; i < rounds_; i++) {
            code_("mul.wide.s32 %offset, %ks_row", i, ", ", bytes_of(op_.storage), ";");
            code_("add.u64 %from", i, ", %start, %offset;");
        }
        if (op_.ragged_k()) { // bytes of this chunk and all that follow it a swizzle row later
            code_("mul.lo.u32 %left, %chunk, ", chunk_bytes, ";");
            code_("sub.s32 %left, ", op_.K * 2, ", %left;");
        }
    }

    void copy_step() {
        code_("add.u32 %to, %stage, %place;");
        if (op_.ragged_k()) { // the rest of a chunk is filled with zeros
            code_("max.s32 %bytes, %left, 0;");
            code_("min.s32 %bytes, %bytes, ", chunk_bytes, ";");
            code_("sub.s32 %left, %left, ", swizzle_row_bytes, ";");
        }
        for (int i = 0; i < rounds_; i++) {
            code_("cp.async.cg.shared.global [%to+", i * rows_at_once * swizzle_row_bytes, "], [%from", i,
                  "], ", chunk_bytes, op_.ragged_k() ? ", %bytes;" : ";");
            code_("add.u64 %from", i, ", %from", i, ", ", swizzle_row_bytes, ";");
        }
        code_("cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%full];");
    }

  private:
    Code &code_;
    const TileOp &op_;
    int rounds_;
};

} // namespace

void produce(Code &code, const TileOp &op, const ptx::PseudoCall &call) {
    const char *one = op.gathered ? "@%first " : ""; // else one thread comes here
    GatheredRows gathered(code, op);
    code(".reg .b32 %thread, %k, %full, %empty, %parity, %stage, %to;");
    code(".reg .b64 %token;");
    code(".reg .pred %first, %more;");
    code("mov.u32 %thread, %tid.x;");
    code("setp.eq.u32 %first, %thread, ", op.consumers(), ";");
    address_of_map(code, "%w", map_of_w);
    if (op.gathered)
        gathered.begin();
    else
        address_of_map(code, "%a", map_of_a);
    code("mov.u32 %k, 0;");
    code("STEP:");
    ring::barrier_of_slot(code, "%ks_slot", "%full");
    code("add.u32 %empty, %full, ", SharedLayout::empty, ";");
    code("xor.b32 %parity, %ks_phase, 1;"); // a fresh barrier counts as one whose phase before is over
    ring::wait(code, "%empty", "%parity");
    code("mad.lo.u32 %stage, %ks_slot, ", op.stage_bytes(), ", %ks_base;");
    code("add.u32 %stage, %stage, ", SharedLayout::ring, ";");
    code(one, "mbarrier.arrive.expect_tx.shared::cta.b64 %token, [%full], ",
         op.gathered ? op.w_bytes() : op.stage_bytes(), ";");
    if (op.gathered) {
        gathered.copy_step();
    } else {
        code("mov.u32 %to, %stage;");
        load_box(code, "", "%a", call.arguments.at(0));
    }
    for (int i = 0; i < op.products; i++) {
        code("add.u32 %to, %stage, ", op.a_bytes() + i * op.w_bytes() / op.products, ";");
        load_box(code, one, "%w", call.arguments.at(static_cast<size_t>(1 + i)));
    }
    ring::advance(code, op);
    code("add.u32 %k, %k, ", step_k, ";");
    code("setp.lt.u32 %more, %k, ", op.steps() * step_k, ";");
    code("@%more bra STEP;");
}

} // namespace ks::tile::wgmma
