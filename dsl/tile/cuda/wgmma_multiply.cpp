// SPDX-License-Identifier: Apache-2.0
// Consumers: all steps of K of one tile out of the ring. One group of wgmma is always in flight while the
// next stage is waited for; a stage is given back when the group after it has been started.
#include "dsl/tile/cuda/ring.h"
#include "dsl/tile/cuda/shared_calls.h"
#include "dsl/tile/cuda/wgmma.h"

namespace ks::tile::wgmma {

namespace {

// PTX ISA, "Matrix descriptor": address in bits 0-13, leading offset in 16-29 (not used with a swizzle: 1),
// stride between groups of 8 rows in 32-45, all in units of 16 bytes; 128-byte swizzle = 1 in bits 62-63.
constexpr int unit = 16;
constexpr unsigned lower_half = 1u << 16;
constexpr unsigned upper_half = SharedLayout::atom / unit | 1u << 30;

void descriptor(Code &code, const char *address, const char *out) {
    code("shr.u32 %half, ", address, ", 4;");
    code("and.b32 %half, %half, 0x3fff;");
    code("or.b32 %half, %half, ", lower_half, ";");
    code("mov.b64 ", out, ", {%half, %upper};");
}

// One lane of each warp says that the stage at %last is read.
void release(Code &code) {
    ring::barrier_of_slot(code, "%last", "%barrier");
    code("@%speaker mbarrier.arrive.shared::cta.b64 %token, [%barrier+", SharedLayout::empty, "];");
}

void instruction(Code &code, const TileOp &op, int slab, int part) {
    std::ostringstream accumulators;
    for (int i = 0; i < op.columns / 2; i++)
        accumulators << (i ? ", %ks_acc" : "%ks_acc") << slab * (op.columns / 2) + i;
    const char *type = op.storage == Storage::bf16 ? "bf16" : "f16";
    constexpr int part_units = instruction_k * 2 / unit, slab_units = store_block_bytes / unit;
    code("add.u64 %a, %tile_a, ", part * part_units + slab * slab_units, ";");
    code("add.u64 %w, %tile_w, ", part * part_units, ";");
    // The first of a tile overwrites its accumulators instead of adding to them.
    code("wgmma.mma_async.sync.aligned.m64n", op.columns, "k16.f32.", type, ".", type, " {",
         accumulators.str(), "}, %a, %w, ", part ? "1" : "%later", ", 1, 1, 0, 0;");
}

} // namespace

void multiply(Code &code, const TileOp &op) {
    code(".reg .b32 %step, %last, %barrier, %lane, %group, %rows_a, %stage, %address, %half, %upper;");
    code(".reg .b64 %tile_a, %tile_w, %a, %w, %token;");
    code(".reg .pred %speaker, %later, %more;");
    code("mov.u32 %upper, ", upper_half, ";");
    code("mov.u32 %lane, %laneid;");
    code("setp.eq.u32 %speaker, %lane, 0;");
    // The shuffle tells ptxas that a warp agrees on its group: descriptors then stay in uniform registers.
    code("mov.u32 %group, %tid.x;");
    code("shr.u32 %group, %group, 7;");
    code("shfl.sync.idx.b32 %group, %group, 0, 31, 0xffffffff;");
    code("mad.lo.u32 %rows_a, %group, ", op.slabs * store_block_bytes, ", %ks_base;");
    const std::string first = op.splits > 1 ? "%ks_step" : "0",
                      end = op.splits > 1 ? "%ks_end_step" : steps_of(op);
    code("mov.u32 %step, ", first, ";");
    code("STEP:");
    ring::barrier_of_slot(code, "%ks_slot", "%barrier");
    ring::wait(code, "%barrier", "%ks_phase");
    if (op.gathered) code("fence.proxy.async.shared::cta;"); // cp.async wrote through the generic proxy
    code("mul.lo.u32 %stage, %ks_slot, ", op.stage_bytes(), ";");
    code("add.u32 %stage, %stage, ", SharedLayout::ring, ";");
    code("add.u32 %address, %stage, %rows_a;");
    descriptor(code, "%address", "%tile_a");
    code("add.u32 %address, %stage, %ks_base;");
    code("add.u32 %address, %address, ", op.a_bytes(), ";");
    descriptor(code, "%address", "%tile_w");
    code("setp.ne.u32 %later, %step, ", first, ";");
    code("wgmma.fence.sync.aligned;");
    for (int part = 0; part < step_k / instruction_k; part++)
        for (int slab = 0; slab < op.slabs; slab++) instruction(code, op, slab, part);
    code("wgmma.commit_group.sync.aligned;");
    code("wgmma.wait_group.sync.aligned 1;");
    code("@!%later bra KEEP;");
    release(code);
    code("KEEP:");
    code("mov.u32 %last, %ks_slot;");
    ring::advance(code, op);
    code("add.u32 %step, %step, 1;");
    code("setp.lt.u32 %more, %step, ", end, ";");
    code("@%more bra STEP;");
    code("wgmma.wait_group.sync.aligned 0;");
    release(code);
}

} // namespace ks::tile::wgmma
