// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/mma.h"
#include "dsl/tile/cuda/calls.h"
#include "dsl/tile/cuda/entry.h"
#include "dsl/tile/cuda/shared_calls.h"

namespace ks::tile::mma {

std::map<std::string, ptx::Expansion> expansions(const TileOp &op) {
    std::map<std::string, ptx::Expansion> all = shared_expansions(op);
    all[calls::init] = expansion([](Code &, const ptx::PseudoCall &) {});
    all[calls::multiply] = expansion([op](Code &code, const ptx::PseudoCall &) { multiply(code, op); });
    return all;
}

std::string with_entry(const std::string &ptx, const TileOp &op) {
    int rows = (op.rows() + op.columns) / copied_rows(op.threads());
    Code code;
    code(".reg .b32 %ks_row<", rows, ">;");
    code(".reg .b64 %ks_a, %ks_w;");
    code("ld.param.b64 %ks_a, [", parameter(ptx, calls::Operand::a), "];");
    code("ld.param.b64 %ks_w, [", parameter(ptx, calls::Operand::w), "];");
    return framed(ptx, op, {}, code.text());
}

} // namespace ks::tile::mma
