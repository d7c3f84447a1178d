// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/wgmma.h"
#include "dsl/tile/cuda/calls.h"
#include "dsl/tile/cuda/operands.h"
#include "dsl/tile/cuda/ring.h"

namespace ks::tile::wgmma {

namespace {

constexpr int consumers_barrier = 15; // named; those of warpgroups begin at 1

void init(Code &code, const TileOp &op) {
    int fillers =
        1 + (op.gathered ? op.producer_threads : 0); // who announces bytes, and every copying thread
    int readers = op.consumers() / 32;               // one lane of each warp
    ring::init(code, op, fillers, readers);
}

void move_registers(Code &code, const char *direction, int registers) {
    if (registers) code("setmaxnreg.", direction, ".sync.aligned.u32 ", registers, ";");
}

void pack(Code &code, const ptx::PseudoCall &call, const char *type) {
    code(".reg .f32 %first, %second;");
    code("mov.b32 %first, ", call.arguments.at(0), ";");
    code("mov.b32 %second, ", call.arguments.at(1), ";");
    code("cvt.rn.", type, "x2.f32 ", call.result, ", %second, %first;"); // the upper half comes first
}

// Bytes to elements of Halide's shared memory behind ours.
void shared_base(Code &code, const TileOp &op, const ptx::PseudoCall &call) {
    int bytes = number(call, 1);

    code("add.u32 ", call.result, ", %ks_base, ", SharedLayout(op).halide, ";");
    code("div.u32 ", call.result, ", ", call.result, ", ", bytes, ";");
}

} // namespace

std::map<std::string, ptx::Expansion> expansions(const TileOp &op) {
    std::map<std::string, ptx::Expansion> all;
    auto define = [&](const char *name, auto emit) {
        all[name] = [emit](const ptx::PseudoCall &call) {
            Code code;
            emit(code, call);
            return code.text() + "\n\t";
        };
    };
    using Call = const ptx::PseudoCall &;
    define(calls::operand, [](Code &, Call) {});
    define(calls::init, [=](Code &code, Call) { init(code, op); });
    define(calls::producer, [=](Code &code, Call) { move_registers(code, "dec", op.producer_registers); });
    define(calls::set_row,
           [](Code &code, Call c) { code("mov.b32 %ks_row", number(c, 0), ", ", c.arguments.at(1), ";"); });
    define(calls::produce, [=](Code &code, Call c) { produce(code, op, c); });
    define(calls::consumer, [=](Code &code, Call) {
        move_registers(code, "inc", op.consumer_registers);
        if (op.staged_store) begin_stores(code, op);
    });
    define(calls::multiply, [=](Code &code, Call) { multiply(code, op); });
    for (int i = 0; i < op.accumulators(); i++)
        define((calls::accumulator + std::to_string(i)).c_str(),
               [i](Code &code, Call c) { code("mov.b32 ", c.result, ", %ks_acc", i, ";"); });

    define(calls::barrier,
           [=](Code &code, Call) { code("bar.sync ", consumers_barrier, ", ", op.consumers(), ";"); });
    define(calls::open_block, [](Code &code, Call) { open_block(code); });
    define(calls::stage, [](Code &code, Call c) { stage(code, c); });
    define(calls::store_block, [=](Code &code, Call c) { store_block(code, op, c); });
    define(calls::drain, [](Code &code, Call) { code("cp.async.bulk.wait_group 0;"); });
    define(calls::shared_base, [=](Code &code, Call c) { shared_base(code, op, c); });
    define(calls::pack_bf16, [](Code &code, Call c) { pack(code, c, "bf16"); });
    define(calls::pack_f16, [](Code &code, Call c) { pack(code, c, "f16"); });
    return all;
}

} // namespace ks::tile::wgmma
