// SPDX-License-Identifier: Apache-2.0
#include "schedules/x86/selective_scan.h"
#include "dsl/recurrence/in_order.h"
#include "dsl/recurrence/step.h"

namespace ks::x86 {
using namespace Halide;

namespace {

Maths maths(const Knobs &k) { return Maths(k["rounding"] == "magic" ? Rounding::magic : Rounding::round); }

// Next tile's u, dt, z, one cache line per step: the tile as a burst would stall (measured 3.25 against 2.68
// ms).
std::vector<Ahead> next_tile(const SelectiveScan &op, int steps) {
    std::vector<Ahead> ahead;
    for (const char *name : {"dt", "u", "z"}) {
        ImageParam p = op.operands.buffer(name);
        ahead.push_back({p(op.d, op.at), steps * p.dim(1).stride()});
    }
    return ahead;
}

// Tiles live on the stack: their size must not depend on the call.
void keep_on_stack(Func f, const Var &d, int channels, const Var &at, int steps) {
    f.store_in(MemoryType::Stack).bound_storage(d, channels).bound_storage(at, steps);
}

} // namespace

Space selective_scan_space(const Spec &, const Target &target) {
    bool wide = target.has_feature(Target::AVX512);
    Space s;
    s.knob("group", {2, 4, 8, 16}, wide ? 8 : 4, "states held in registers by one time loop");
    s.knob("channels", {32, 64, 128, 256}, 128, "channels of a tile");
    s.knob("steps", {16, 32, 64}, 32, "time steps of a tile, whose softplus is done ahead of the recurrence");
    s.knob("rounding", std::vector<std::string>{"magic", "round"}, wide ? "magic" : "round",
           "how exp2 rounds");
    s.knob("prefetch", {0, 1}, 1, "prefetch the next tile from the time loop");
    // Halide moves what is larger than 16 KB from the stack to the heap.
    s.rule([](const Knobs &k) { return k.integer("channels") * k.integer("steps") <= 4096; });
    return s;
}

// Per channel vector: `steps` steps with one group of states, then the same steps with the next group; state
// traffic is one load and one store per tile.
Kernel selective_scan(const Spec &spec, const Knobs &k, const Target &target) {
    SelectiveScan op(selective_scan_contract(), spec, maths(k));
    int lanes = target.natural_vector_size<float>(), steps = k.integer("steps");
    std::vector<Ahead> ahead;
    if (k.integer("prefetch")) ahead = next_tile(op, steps);
    InOrder scan(op.recurrence, k.integer("group"), ahead, "read");
    Func y = op.output(scan.out.func);

    Var block("block"), tile("tile"), i("i"), t("ti");
    y.split(op.d, block, i, k.integer("channels"), TailStrategy::GuardWithIf)
        .split(op.at, tile, t, steps, TailStrategy::GuardWithIf)
        .reorder(i, t, tile, block)
        .vectorize(i, lanes, TailStrategy::GuardWithIf);
    op.step.compute_at(y, tile).vectorize(op.d, lanes, TailStrategy::GuardWithIf);
    scan.out.func.compute_at(y, tile);
    for (const Func &f : {op.step, scan.out.func})
        keep_on_stack(f, op.d, k.integer("channels"), op.at, steps);
    scan.out.vectorise(lanes, 1); // more vectors in flight cost 3 to 12 % (registers)
    scan.check(y);
    return {{y}, op.operands.arguments(), {scan.pass}};
}

Space selective_state_update_space(const Spec &, const Target &target) {
    bool wide = target.has_feature(Target::AVX512);
    Space s;
    s.knob("group", {2, 4, 8, 16}, wide ? 8 : 4, "states whose update is unrolled");
    s.knob("channels", {32, 64, 128, 256}, 64, "channels of a tile");
    s.knob("rounding", std::vector<std::string>{"magic", "round"}, wide ? "magic" : "round",
           "how exp2 rounds");
    s.knob("ahead", {0, 32, 64}, 0,
           "channels ahead to prefetch A and the state: pays when they come from memory");
    return s;
}

Kernel selective_state_update(const Spec &spec, const Knobs &k, const Target &target) {
    SelectiveScan op(selective_state_update_contract(), spec, maths(k));
    int lanes = target.natural_vector_size<float>();
    Step update(op.recurrence, k.integer("group"), {}, "read");
    Func y = op.output(update.out.func);

    Var block("block"), i("i");
    y.split(op.d, block, i, k.integer("channels"), TailStrategy::GuardWithIf)
        .reorder(i, block, op.at)
        .vectorize(i, lanes, TailStrategy::GuardWithIf);
    op.step.compute_at(y, block).vectorize(op.d, lanes, TailStrategy::GuardWithIf);
    update.out.func.compute_at(y, block);
    for (const Func &f : {op.step, update.out.func}) keep_on_stack(f, op.d, k.integer("channels"), op.at, 1);
    update.out.vectorise(lanes, 1);
    update.check(y);
    return {{y}, op.operands.arguments(), {update.pass}};
}

} // namespace ks::x86
