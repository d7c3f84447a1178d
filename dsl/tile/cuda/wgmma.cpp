// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/wgmma.h"
#include "dsl/tile/cuda/calls.h"
#include "dsl/tile/cuda/entry.h"
#include "dsl/tile/cuda/ring.h"
#include "dsl/tile/cuda/shared_calls.h"

namespace ks::tile::wgmma {

namespace {

void init(Code &code, const TileOp &op) {
    // One thread announces bytes; where rows are gathered, every copying thread arrives too.
    int fillers = op.gathered ? 1 + op.producer_threads : 1;
    int readers = op.consumers() / 32; // one lane of each warp
    if (op.splits > 1) begin_exchange(code, op);
    ring::init(code, op, fillers, readers);
    if (op.splits > 1) code("barrier.cluster.arrive.release.aligned;"); // they may be written to
}

// Which steps of K are the block's: rank r has those from the r-th boundary to the next. All have as many, or
// the first ones one more.
void share_steps(Code &code, const TileOp &op) {
    int each = op.steps() / op.splits, more = op.steps() % op.splits;
    auto boundary = [&](const char *rank, const char *step) {
        code("min.u32 ", step, ", ", rank, ", ", more, ";");
        code("mad.lo.u32 ", step, ", ", rank, ", ", each, ", ", step, ";");
    };
    code(".reg .b32 %ks_rank, %ks_step, %ks_end_step;");
    code("mov.u32 %ks_rank, %cluster_ctarank;");
    boundary("%ks_rank", "%ks_step");
    code.block([&] {
        code(".reg .b32 %next;");
        code("add.u32 %next, %ks_rank, 1;");
        boundary("%next", "%ks_end_step");
    });
}

void move_registers(Code &code, const char *direction, int registers) {
    if (registers) code("setmaxnreg.", direction, ".sync.aligned.u32 ", registers, ";");
}

} // namespace

std::map<std::string, ptx::Expansion> expansions(const TileOp &op) {
    std::map<std::string, ptx::Expansion> all = shared_expansions(op);
    using Call = const ptx::PseudoCall &;
    all[calls::init] = expansion([op](Code &code, Call) { init(code, op); });
    all[calls::producer] =
        expansion([op](Code &code, Call) { move_registers(code, "dec", op.producer_registers); });
    all[calls::produce] = expansion([op](Code &code, Call c) { produce(code, op, c); });
    all[calls::consumer] = expansion([op](Code &code, Call) {
        move_registers(code, "inc", op.consumer_registers);
        if (op.splits > 1) join(code);
        if (op.staged_store) begin_stores(code, op);
    });
    all[calls::multiply] = expansion([op](Code &code, Call) {
        multiply(code, op);
        if (op.splits > 1) exchange(code, op);
    });
    all[calls::join] = expansion([](Code &code, Call) { join(code); });
    all[calls::open_block] = expansion([](Code &code, Call) { open_block(code); });
    all[calls::stage] = expansion([](Code &code, Call c) { stage(code, c); });
    all[calls::store_block] = expansion([op](Code &code, Call c) { store_block(code, op, c); });
    all[calls::drain] = expansion([](Code &code, Call) { code("cp.async.bulk.wait_group 0;"); });
    return all;
}

std::string with_entry(const std::string &halide, const TileOp &op) {
    std::vector<std::string> maps;
    if (!op.gathered) maps.push_back(map_of_a);
    maps.push_back(map_of_w);
    if (op.staged_store) maps.push_back(map_of_out);
    Code code;
    code(".reg .b32 %ks_slot, %ks_phase, %ks_cell, %ks_open, %ks_other, %ks_group_barrier;");
    code(".reg .pred %ks_leader;");
    if (op.gathered) {
        code(".reg .b32 %ks_row<", op.rows() / copied_rows(op.producer_threads), ">;");
        code(".reg .b64 %ks_a;");
        code("ld.param.b64 %ks_a, [", parameter(halide, calls::Operand::a), "];");
    }
    if (op.splits > 1) share_steps(code, op);
    const char *version = op.splits > 1 ? cluster_ptx_version : ptx_version;
    return framed(ptx::retarget(halide, version, arch), op, maps, code.text());
}

} // namespace ks::tile::wgmma
