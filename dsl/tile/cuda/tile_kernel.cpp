// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/tile_kernel.h"
#include "dsl/lower/pack_pass.h"
#include "dsl/ptx/instructions.h"
#include "dsl/tile/cuda/mma.h"
#include "dsl/tile/cuda/operands.h"
#include "dsl/tile/cuda/shared_layout.h"
#include "dsl/tile/cuda/tensorize_pass.h"
#include "dsl/tile/cuda/wgmma.h"
#include <cstring>

namespace ks::tile {

void use_tensor_cores(Kernel &kernel, const TileMatmul &matmul, const TileOp &op) {
    kernel.passes.push_back(std::make_shared<PackPass>()); // pairs of results in one instruction
    kernel.passes.push_back(std::make_shared<TensorizePass>(matmul, op));
    kernel.device.expansions = ptx::instructions();
    if (op.unit == Unit::wgmma) kernel.device.arch = wgmma::arch;
    bool wgmma = op.unit == Unit::wgmma;
    kernel.device.edits.push_back([op, wgmma](const std::string &ptx) {
        return wgmma ? wgmma::with_entry(ptx, op) : mma::with_entry(ptx, op);
    });
    for (const auto &[name, expansion] : wgmma ? wgmma::expansions(op) : mma::expansions(op))
        kernel.device.expansions[name] = expansion;
    kernel.device.launch = [op](const std::string &ptx) {
        cuda::TileLaunch launch = tile_launch(ptx, op);
        std::vector<uint8_t> bytes(sizeof launch);
        std::memcpy(bytes.data(), &launch, sizeof launch);
        return bytes;
    };
}

cuda::TileLaunch tile_launch(const std::string &halide_ptx, const TileOp &op) {
    auto argument = operands(halide_ptx);
    cuda::TileLaunch launch{static_cast<uint32_t>(SharedLayout(op).launch_bytes()), 0, {}};
    auto add = [&](calls::Operand which, int columns, int box_rows) {
        launch.map[launch.maps++] = {static_cast<uint32_t>(argument.at(which)),
                                     static_cast<uint32_t>(columns), static_cast<uint32_t>(box_rows)};
    };
    if (op.unit == Unit::mma) return launch;
    if (!op.gathered) add(calls::Operand::a, op.K, op.rows());
    add(calls::Operand::w, op.K, op.product_columns());
    if (op.staged_store) add(calls::Operand::out, 0, slab_rows);
    return launch;
}

} // namespace ks::tile
