// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/row_plan.h"
#include "dsl/tile/cuda/tile_op.h"
#include "runtime/base/error.h"

namespace ks::tile {

namespace {

void require(bool holds, const std::string &cause) {
    if (!holds) throw Error("row plan", cause);
}

bool power_of_two(int n) { return n > 0 && (n & (n - 1)) == 0; }

} // namespace

void check(const RowPlan &plan, Storage x, Storage w, int K, int parts) {
    for (int n : {plan.rows, plan.columns, plan.groups, plan.slices, plan.steps, plan.unroll, plan.blocks})
        require(n > 0, "a size is not positive");
    require(power_of_two(plan.vector) && plan.vector * bytes_of(w) <= chunk_bytes,
            "a vector of " + std::to_string(plan.vector) + " weights is not one access");
    require(K % plan.vector == 0, "K is not a multiple of the vector");
    require(plan.prefetch == 0 || plan.prefetch == 64 || plan.prefetch == 128 || plan.prefetch == 256,
            "a load fetches 64, 128 or 256 bytes ahead");
    require(plan.threads() <= 1024, "a block has more than 1024 threads");
    require(plan.threads() * plan.blocks <= 2048, "a multiprocessor has more than 2048 threads");
    require(plan.shared_bytes(parts) <= shared_bytes_everywhere,
            std::to_string(plan.shared_bytes(parts)) + " bytes of shared memory: a multiprocessor has " +
                std::to_string(shared_bytes_everywhere));
    if (plan.mma()) {
        require(x == w && w != Storage::f32, "mma multiplies two operands of the same 16 bits");
        require(plan.vector == 8 || plan.vector == 4, "mma takes vectors of 4 or 8 elements");
        require(plan.rows % 8 == 0, "rows of mma are not a multiple of 8");
    } else {
        require(power_of_two(plan.lanes) && plan.lanes <= 32, "lanes are no part of a warp");
    }
}

} // namespace ks::tile
