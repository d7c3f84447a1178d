// SPDX-License-Identifier: Apache-2.0
// Producers: all steps of K of one tile into the ring. Boxes of tensor maps are copied by one thread;
// gathered rows by a warpgroup, 16 bytes a thread, in the swizzle that wgmma expects. (A box for each
// gathered row took five times as long: 31 ns a row on an H200.)
#include "dsl/tile/cuda/ring.h"
#include "dsl/tile/cuda/row_copies.h"
#include "dsl/tile/cuda/wgmma.h"

namespace ks::tile::wgmma {

namespace {

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

} // namespace

void produce(Code &code, const TileOp &op, const ptx::PseudoCall &call) {
    const char *one = op.gathered ? "@%first " : ""; // else one thread comes here
    RowCopies rows(code, op, "a", op.producer_threads, 0, op.rows() / copied_rows(op.producer_threads));
    code(".reg .b32 %thread, %k, %end, %full, %empty, %parity, %stage, %to;");
    code(".reg .b64 %token;");
    code(".reg .pred %first, %more;");
    code("mov.u32 %thread, %tid.x;");
    code("setp.eq.u32 %first, %thread, ", op.consumers(), ";");
    address_of_map(code, "%w", map_of_w);
    if (op.gathered) {
        code("sub.u32 %thread, %thread, ", op.consumers(), ";");
        rows.begin("%thread", "%ks_a");
    } else {
        address_of_map(code, "%a", map_of_a);
    }
    if (op.splits > 1) {
        code("mul.lo.u32 %k, %ks_step, ", step_k, ";");
        code("mul.lo.u32 %end, %ks_end_step, ", step_k, ";");
    } else {
        code("mov.u32 %k, 0;");
        code("mov.u32 %end, ", op.K ? std::to_string(op.steps() * step_k) : "%ks_k", ";");
    }
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
        rows.step("%stage");
        code("cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%full];");
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
    code("setp.lt.u32 %more, %k, %end;");
    code("@%more bra STEP;");
}

} // namespace ks::tile::wgmma
