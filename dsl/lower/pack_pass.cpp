// SPDX-License-Identifier: Apache-2.0
#include "dsl/lower/pack_pass.h"
#include "dsl/ptx/instructions.h"
#include "runtime/base/error.h"

namespace ks {
using namespace Halide;
using namespace Halide::Internal;

namespace {
const char *const to_bf16 = "ks_to_bf16", *const to_f16 = "ks_to_f16";
} // namespace

Expr PackPass::narrow(Storage s, const Expr &value) {
    if (s == Storage::f32) throw Error("pack pass", "f32 is not packed");
    return pseudo_call(UInt(16), s == Storage::bf16 ? to_bf16 : to_f16, {value});
}

Expr PackPass::visit(const Call *op) {
    if (op->name != to_bf16 && op->name != to_f16) return IRMutator::visit(op);
    auto pair = op->name == to_bf16 ? ptx::pack_bf16 : ptx::pack_f16;
    Expr value = mutate(op->args[0]);
    int lanes = op->type.lanes();
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

// What widen() of storage.h makes of a vector of bf16.
Expr PackPass::visit(const Reinterpret *op) {
    const Call *shift = op->value.as<Call>();
    int lanes = op->type.lanes();
    if (op->type != Float(32, lanes) || lanes % 2 || !shift ||
        !shift->is_intrinsic(Call::widening_shift_left) || shift->args[0].type() != UInt(16, lanes) ||
        shift->args[0].as<Broadcast>() || !is_const(shift->args[1], 16))
        return IRMutator::visit(op);
    Type words = UInt(32, lanes / 2), reals = Float(32, lanes / 2);
    std::string name = unique_name("words");
    Expr word = Variable::make(words, name);
    Expr even = reinterpret(reals, word << 16),
         odd = reinterpret(reals, word & make_const(words, 0xffff0000u));
    return Let::make(name, reinterpret(words, mutate(shift->args[0])), Shuffle::make_interleave({even, odd}));
}

} // namespace ks
