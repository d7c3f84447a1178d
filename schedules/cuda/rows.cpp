// SPDX-License-Identifier: Apache-2.0
#include "schedules/cuda/rows.h"
#include "generators/add.h"
#include "generators/embedding.h"
#include "generators/gather_rows.h"

namespace ks::cuda {
using namespace Halide;

namespace {

// Rows are the first dimension of the grid: the others end at 65535 blocks.
void spread(Func y, const Var &column, const Var &row, const Knobs &k) {
    Var block("block"), thread("thread"), rows("rows"), r("r");
    y.split(column, block, thread, k.integer("threads"), TailStrategy::GuardWithIf)
        .split(row, rows, r, k.integer("rows"), TailStrategy::GuardWithIf)
        .reorder(r, thread, rows, block)
        .unroll(r)
        .gpu_threads(thread)
        .gpu_blocks(rows, block);
}

} // namespace

Space rows_space(const Spec &, const Target &) {
    Space s;
    s.knob("threads", {64, 128, 256, 512}, 128, "columns of a block, one a thread");
    s.knob("rows", {1, 2, 4}, 1, "rows of a thread");
    return s;
}

Kernel add(const Spec &spec, const Knobs &k, const Target &) {
    Add op(spec);
    spread(op.y, op.h, op.t, k);
    return {{op.y}, op.operands.arguments(), {}};
}

Kernel embedding(const Spec &spec, const Knobs &k, const Target &) {
    Embedding op(spec);
    spread(op.y, op.h, op.t, k);
    return {{op.y}, op.operands.arguments(), {}};
}

Kernel gather_rows(const Spec &spec, const Knobs &k, const Target &) {
    GatherRows op(spec);
    spread(op.y, op.k, op.r, k);
    return {{op.y}, op.operands.arguments(), {}};
}

} // namespace ks::cuda
