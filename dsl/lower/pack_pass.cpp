// SPDX-License-Identifier: Apache-2.0
#include "dsl/lower/pack_pass.h"

namespace ks {
using namespace Halide;
using namespace Halide::Internal;

namespace {
const char *const one_call = "ks_to_bf16", *const pair_call = "ks_to_bf16x2"; // (low half, high half)
} // namespace

Expr PackPass::to_bf16(const Expr &value) { return pseudo_call(UInt(16), one_call, {value}); }

std::map<std::string, ptx::Expansion> PackPass::expansions() {
    return {{pair_call, [](const ptx::PseudoCall &c) {
                 return "cvt.rn.bf16x2.f32 " + c.result + ", " + c.arguments.at(1) + ", " +
                        c.arguments.at(0) + ";";
             }}};
}

Expr PackPass::visit(const Call *op) {
    if (op->name != one_call) return IRMutator::visit(op);
    Expr value = mutate(op->args[0]);
    int lanes = op->type.lanes();
    auto pair = [](const Expr &low, const Expr &high) {
        return pseudo_call(UInt(32), pair_call, {low, high});
    };
    if (lanes == 1) return cast<uint16_t>(pair(value, value));
    if (lanes % 2) return IRMutator::visit(op); // refused later: no vector of ours is odd
    std::string name = unique_name("wide");
    Expr wide = Variable::make(value.type(), name);
    std::vector<Expr> pairs;
    for (int i = 0; i < lanes; i += 2)
        pairs.push_back(
            pair(Shuffle::make_extract_element(wide, i), Shuffle::make_extract_element(wide, i + 1)));
    Expr words = pairs.size() == 1 ? pairs[0] : Shuffle::make_concat(pairs);
    return Let::make(name, value, reinterpret(UInt(16, lanes), words));
}

} // namespace ks
