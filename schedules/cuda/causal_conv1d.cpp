// SPDX-License-Identifier: Apache-2.0
#include "schedules/cuda/causal_conv1d.h"
#include "dsl/lower/aligned_pass.h"
#include "dsl/lower/assign_pass.h"
#include "dsl/lower/choose_pass.h"
#include "dsl/lower/pack_pass.h"
#include "dsl/lower/turns_pass.h"
#include "dsl/ptx/instructions.h"
#include "dsl/ptx/occupancy.h"

namespace ks::cuda {
using namespace Halide;

Space causal_conv1d_space(const Spec &spec, const Target &) {
    Space s;
    s.knob("threads", {32, 64, 128, 256}, 64, "threads of a block along the channels");
    s.knob("tiles", {1, 2, 4, 8}, 2,
           "threads of a block along time, which share taps and the steps before a tile");
    s.knob("channels", {2, 4}, 2, "channels of a thread where the memory is aligned; elsewhere one");
    s.knob("steps", {4, 8, 16}, 8, "time steps of a thread, which loads each input once"); // at least W
    s.knob("resident", {640, 768, 1024, 1152, 1280}, spec.choice("io") == "f32" ? 1024 : 1152,
           "threads of a multiprocessor, which share its registers");
    s.rule([](const Knobs &k) { return k.integer("threads") * k.integer("tiles") <= 512; });
    return s;
}

// Blocks along the time of each sequence. Of ragged ones a grid knows only how long all are together: twice
// the mean, and each block takes every n-th tile of its sequence. A block for every tile that a sequence
// could have would be as many times those with work as there are sequences.
Expr blocks_along_time(const CausalConv1d &op, int block_steps) {
    Expr rows = op.operands.buffer("x").dim(1).extent(), sequences = op.y.output_buffer().dim(2).extent();
    return max(2 * rows / (max(sequences, 1) * block_steps), 1);
}

// Threads of a multiprocessor whose registers hold what turns share besides, without spills.
int resident_of_turns(int steps, Storage io) { return steps > 8 ? 512 : io == Storage::f32 ? 640 : 768; }

// A thread reads its window, `steps` steps of its channels and the few before them, and then makes of it what
// it stores: memory is waited for once. Blocks at work lie along the rows, as memory does, unless that takes
// too many.
Kernel causal_conv1d(const Spec &spec, const Knobs &k, const Target &) {
    CausalConv1d op(causal_conv1d_contract(), spec, Maths::special_function_unit(), Batch::packed);
    int threads = k.integer("threads"), tiles = k.integer("tiles"), channels = k.integer("channels"),
        steps = k.integer("steps"), resident = k.integer("resident");
    Var block("block"), i("i"), rows("rows"), turn("turn"), tile("tile"), w("w"), t("ti"), v("v"),
        sequence = op.operands.point({})[0];
    Expr vectors = op.operands.aligned(16) && op.operands.buffer("x").dim(0).extent() % channels == 0 &&
                   op.y.output_buffer().dim(1).extent() <= ptx::most_blocks * tiles * steps;
    auto plan = [&](Stage s, bool turns, const std::vector<VarOrRVar> &loops,
                    const std::vector<VarOrRVar> &blocks) {
        s.split(op.d, block, i, threads, TailStrategy::GuardWithIf)
            .split(op.at, tile, t, steps, TailStrategy::GuardWithIf)
            .split(tile, rows, w, tiles, TailStrategy::GuardWithIf);
        std::vector<VarOrRVar> order = loops;
        if (turns) {
            s.split(rows, turn, rows, blocks_along_time(op, tiles * steps), TailStrategy::GuardWithIf);
            order.push_back(turn);
        }
        order.insert(order.end(), blocks.begin(), blocks.end());
        s.reorder(order)
            .unroll(t)
            .gpu_threads(i, w)
            .gpu_blocks(blocks[0], blocks[1], blocks[2])
            .never_partition_all()
            .partition(rows, Partition::Auto);
    };
    for (bool turns : {false, true}) {
        Stage wide = op.y.specialize(turns ? vectors : vectors && op.operands.equally_long());
        wide.split(op.d, op.d, v, channels, TailStrategy::RoundUp).vectorize(v);
        plan(wide, turns, {v, t, i, w}, {block, rows, sequence});
    }
    plan(op.y, true, {t, i, w}, {rows, block, sequence});
    op.window.compute_at(op.y, i)
        .store_in(MemoryType::Register)
        .bound_extent(op.at, steps + std::stoi(spec.choice("W")) - 1)
        .unroll(op.at);
    op.window.specialize(vectors).vectorize(op.d, channels);
    const int together = threads * tiles, blocks = std::max(resident / together, 1),
              most = resident_of_turns(steps, storage_named(spec.choice("io"))),
              blocks_of_turns = std::max(std::min(resident, most) / together, 1);
    return {{op.y},
            op.operands.arguments(),
            {std::make_shared<AssignPass>(op.y.name()), op.operands.sequence_pass(op.y, "x"),
             std::make_shared<ChoosePass>(op.window.name()), std::make_shared<PackPass>(),
             std::make_shared<AlignedPass>(), std::make_shared<TurnsPass>(turn.name())},
            {{[=](const std::string &ptx) {
                 return ptx::with_launch_bounds(ptx, together, blocks, blocks_of_turns);
             }},
             ptx::instructions(),
             nullptr,
             0,
             ""}};
}

Space causal_conv1d_update_space(const Spec &, const Target &) {
    Space s;
    s.knob("threads", {64, 128, 256}, 128, "channels of a block, one a thread");
    return s;
}

Kernel causal_conv1d_update(const Spec &spec, const Knobs &k, const Target &) {
    CausalConv1d op(causal_conv1d_update_contract(), spec, Maths::special_function_unit());
    Var block("block"), i("i");
    op.y.split(op.d, block, i, k.integer("threads"), TailStrategy::GuardWithIf)
        .reorder(i, op.at, block)
        .gpu_threads(i)
        .gpu_blocks(op.at, block);
    return {{op.y}, op.operands.arguments(), {std::make_shared<AssignPass>(op.y.name())}};
}

} // namespace ks::cuda
