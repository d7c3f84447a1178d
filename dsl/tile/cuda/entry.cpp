// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/entry.h"
#include "dsl/tile/cuda/code.h"
#include "dsl/tile/cuda/shared_layout.h"
#include "runtime/base/error.h"

namespace ks::tile {

namespace {

const std::string entry = ".visible .entry ";

// Behind `from`; the shape of the text is that of LLVM 21.
size_t place_of(const std::string &ptx, const std::string &what, size_t from) {
    size_t at = ptx.find(what, from);
    if (at == std::string::npos) throw Error("PTX", "a kernel without " + what);
    return at;
}

std::string declared(const std::vector<std::string> &parameters, bool first) {
    Code code;
    for (const auto &name : parameters) {
        code(first ? "" : ",", ".param .align 64 .b8 ", name, "[128]");
        first = false;
    }
    return parameters.empty() ? "" : code.text() + "\n";
}

std::string bounds(const TileOp &op) {
    std::string cluster =
        op.splits > 1 ? "\n.explicitcluster\n.reqnctapercluster " + std::to_string(op.splits) + ", 1, 1" : "";
    return "\n.maxntid " + std::to_string(op.threads()) + ", 1, 1\n.minnctapersm " +
           std::to_string(op.blocks_per_multiprocessor) + cluster;
}

std::string common_start(const TileOp &op, const std::string &halide) {
    constexpr int atom = SharedLayout::atom;
    Code code;
    code(".reg .f32 %ks_acc<", op.accumulators(), ">;");
    code(".reg .b32 %ks_base;");
    if (!op.K) code(".reg .b32 %ks_k, %ks_steps;");
    code("mov.u32 %ks_base, ks_shared;");
    code("add.u32 %ks_base, %ks_base, ", atom - 1, ";");
    code("and.b32 %ks_base, %ks_base, ", -atom, ";");
    if (op.quad_store) {
        code(".reg .b64 %ks_out;");
        code("ld.param.b64 %ks_out, [", parameter(halide, calls::Operand::out), "];");
        code("cvta.to.global.u64 %ks_out, %ks_out;");
    }
    return code.text();
}

} // namespace

std::string framed(const std::string &halide, const TileOp &op, const std::vector<std::string> &parameters,
                   const std::string &start) {
    std::string ptx = halide;
    size_t kernel = place_of(ptx, entry, 0);
    if (ptx.find(entry, kernel + 1) != std::string::npos)
        throw Error("PTX", "a tile kernel stands beside others in its pipeline");
    size_t open = place_of(ptx, "(", kernel), close = place_of(ptx, ")", open),
           body = place_of(ptx, "{", close);
    bool bare = ptx.find(".param", open) > close;
    ptx.insert(body + 1, common_start(op, halide) + start);
    ptx.insert(close + 1, bounds(op));
    ptx.insert(close, declared(parameters, bare));
    ptx.insert(kernel, ".extern .shared .align 1024 .b8 ks_shared[];\n");
    return ptx;
}

std::string parameter(const std::string &ptx, calls::Operand which) {
    size_t name = place_of(ptx, entry, 0) + entry.size();
    std::string kernel = ptx.substr(name, place_of(ptx, "(", name) - name);
    return kernel + "_param_" + std::to_string(operands(ptx).at(which));
}

} // namespace ks::tile
