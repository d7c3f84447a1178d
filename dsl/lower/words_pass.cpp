// SPDX-License-Identifier: Apache-2.0
#include "dsl/lower/words_pass.h"
#include "runtime/base/error.h"

namespace ks {
using namespace Halide;
using namespace Halide::Internal;

namespace {

const char *const word_call = "ks_word", *const low_call = "ks_low_half", *const high_call = "ks_high_half";

// Strides are whole words by promise: only a constant part that is odd gives an odd element away.
Expr word_index(const Expr &element) {
    Expr constant_part = simplify(element % 2);
    if (is_const_one(constant_part)) throw Error("words pass", "a word begins at an odd element");
    return simplify(element / 2);
}

struct Lane {
    const Load *load;
    Expr index;
};

Type half_type(const Expr &word) { return word.type().bits() == 64 ? Type(Float(32)) : Type(UInt(16)); }

// What one lane of a vector loads. Halide makes strided vectors of slices of dense ones.
Lane lane_of(const Expr &e, int lane) {
    if (const Load *load = e.as<Load>()) {
        if (!is_const_one(load->predicate))
            throw Error("words pass", "a load of " + load->name + " is predicated");
        if (load->type.is_scalar()) return {load, load->index};
        if (const Ramp *r = load->index.as<Ramp>()) return {load, r->base + r->stride * lane};
    }
    if (const Shuffle *shuffle = e.as<Shuffle>()) {
        int from = shuffle->indices[static_cast<size_t>(lane)];
        for (const Expr &v : shuffle->vectors) {
            if (from < v.type().lanes()) return lane_of(v, from);
            from -= v.type().lanes();
        }
    }
    throw Error("words pass", "a word can only be made of a load");
}

} // namespace

Expr word_at(const Expr &element) { return pseudo_call(UInt(32), word_call, {element}); }
Expr low_half(const Expr &word) { return pseudo_call(half_type(word), low_call, {word}); }
Expr high_half(const Expr &word) { return pseudo_call(half_type(word), high_call, {word}); }
Expr pair_f32(const Expr &low, const Expr &high) {
    auto bits = [](const Expr &e) { return cast<uint64_t>(reinterpret<uint32_t>(e)); };
    return bits(high) << 32 | bits(low);
}

void WordsPass::verify() const {
    if (stores_ != dropped_)
        throw Error("words pass", "half a word is stored: unroll the pair, its low half first");
}

Expr WordsPass::visit(const Call *op) {
    if (op->name != word_call) return ScopedPass::visit(op);
    Expr element = lower::resolve(lets_, substitute_in_all_lets(op->args[0]));
    const int lanes = op->type.lanes();
    Lane first = lane_of(element, 0);
    const int bits = first.load->type.bits(), elements = 32 / bits;
    if (bits != 16 && bits != 32)
        throw Error("words pass", first.load->name + " does not have elements of 16 or 32 bits");
    for (int i = 1; i < lanes; i++) {
        Lane lane = lane_of(element, i);
        if (lane.load->name != first.load->name || !can_prove(lane.index == first.index + elements * i))
            throw Error("words pass", "a vector of words of " + first.load->name + " must be dense");
    }
    loads_++;
    Expr index = elements == 2 ? word_index(first.index) : simplify(first.index);
    if (lanes > 1) index = Ramp::make(index, 1, lanes);
    return Load::make(UInt(32, lanes), first.load->name, index, first.load->image, first.load->param,
                      const_true(lanes), lanes > 1 ? ModulusRemainder(lanes, 0) : ModulusRemainder());
}

Stmt WordsPass::visit(const Store *op) {
    Expr value = lower::resolve(lets_, substitute_in_all_lets(op->value));
    const Call *half = value.as<Call>();
    if (!half || (half->name != low_call && half->name != high_call)) return ScopedPass::visit(op);
    if (!is_const_one(op->predicate)) throw Error("words pass", "a store to " + op->name + " is predicated");
    Expr index = lower::resolve(lets_, op->index);
    if (half->name == low_call) {
        stores_++;
        last_buffer_ = op->name;
        last_index_ = index;
        return Store::make(op->name, mutate(half->args[0]), word_index(index), op->param, const_true(),
                           ModulusRemainder());
    }
    if (op->name != last_buffer_ || !can_prove(index == last_index_ + 1))
        throw Error("words pass", "the halves of a word of " + op->name + " are not stored in order");
    dropped_++;
    last_buffer_.clear();
    return Evaluate::make(0);
}

} // namespace ks
