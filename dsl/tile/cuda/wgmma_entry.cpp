// SPDX-License-Identifier: Apache-2.0
// The frame of a tile kernel: edits on the text around its calls.
#include "dsl/tile/cuda/operands.h"
#include "dsl/tile/cuda/ring.h"
#include "dsl/tile/cuda/wgmma.h"
#include "runtime/base/error.h"

namespace ks::tile::wgmma {

namespace {

constexpr const char *entry = ".visible .entry ";

// Behind `from`; the shape of the text is that of LLVM 21.
size_t find(const std::string &ptx, const std::string &what, size_t from) {
    size_t at = ptx.find(what, from);
    if (at == std::string::npos) throw Error("PTX", "a kernel without " + what);
    return at;
}

std::string parameters(const TileOp &op, bool first) {
    Code code;
    for (const char *name : {map_of_a, map_of_w, map_of_out}) {
        if ((name == map_of_a && op.gathered) || (name == map_of_out && !op.staged_store)) continue;
        code(first ? "" : ",", ".param .align 64 .b8 ", name, "[128]");
        first = false;
    }
    return code.text() + "\n";
}

std::string bounds(const TileOp &op) {
    return "\n.maxntid " + std::to_string(op.threads()) + ", 1, 1\n.minnctapersm " +
           std::to_string(op.blocks_per_multiprocessor);
}

std::string registers(const std::string &ptx, const std::string &kernel, const TileOp &op) {
    constexpr int atom = SharedLayout::atom;
    Code code;
    code(".reg .f32 %ks_acc<", op.accumulators(), ">;");
    code(".reg .b32 %ks_base, %ks_slot, %ks_phase, %ks_cell, %ks_open, %ks_other, %ks_group_barrier;");
    if (op.gathered) {
        code(".reg .b32 %ks_row<", op.rows() / 16, ">;");
        code(".reg .b64 %ks_a;");
        code("ld.param.b64 %ks_a, [", kernel, "_param_", operands(ptx).at(calls::Operand::a), "];");
    }
    code(".reg .pred %ks_leader;");
    code("mov.u32 %ks_base, ks_shared;");
    code("add.u32 %ks_base, %ks_base, ", atom - 1, ";");
    code("and.b32 %ks_base, %ks_base, ", -atom, ";");
    return code.text();
}

} // namespace

std::string with_entry(const std::string &halide, const TileOp &op) {
    std::string ptx = ptx::retarget(halide, ptx_version, arch);
    size_t kernel = find(ptx, entry, 0);
    if (ptx.find(entry, kernel + 1) != std::string::npos)
        throw Error("PTX", "a tile kernel stands beside others in its pipeline");
    size_t open = find(ptx, "(", kernel), close = find(ptx, ")", open), body = find(ptx, "{", close);
    bool bare = ptx.find(".param", open) > close;
    size_t name = kernel + std::string(entry).size();
    ptx.insert(body + 1, registers(halide, ptx.substr(name, open - name), op));
    ptx.insert(close + 1, bounds(op));
    ptx.insert(close, parameters(op, bare));
    ptx.insert(kernel, ".extern .shared .align 1024 .b8 ks_shared[];\n");
    return ptx;
}

} // namespace ks::tile::wgmma
