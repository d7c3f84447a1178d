// SPDX-License-Identifier: Apache-2.0
#include "dsl/operands.h"
#include "dsl/lower/pack_pass.h"
#include "runtime/base/error.h"
#include <algorithm>

namespace ks {
using namespace Halide;

Storage Operands::storage(const std::string &type) const {
    return type == "f32" ? Storage::f32 : storage_named(spec_.choice(type));
}

Operands::Operands(const Contract &contract, const Spec &spec, Batch batch)
    : contract_(contract), spec_(spec), packed_(batch == Batch::packed && !contract.ragged.empty()) {
    check(contract, spec);
    for (const auto &o : contract.operands) {
        if (o.role == Role::output) continue;
        Type type = o.type == "i32" ? Type(Int(32)) : buffer_type(storage(o.type));
        ImageParam p(type, static_cast<int>(shape(o.name).size()) + (packed_ && o.per_sequence), o.name);
        for (int i = 0; i < p.dimensions(); i++) p.dim(i).set_min(0);
        buffers_.emplace(o.name, p);
    }
    seq_start_.dim(0).set_min(0);
    for (const auto &s : contract.scalars) {
        if (s.type == "i32")
            integers_.emplace(s.name, Param<int>(s.name));
        else
            reals_.emplace(s.name, Param<float>(s.name));
    }
}

std::vector<std::string> Operands::shape(const std::string &operand) const {
    return buffer_shape(contract_.operand(operand), spec_.choices);
}

ImageParam Operands::buffer(const std::string &name) const { return buffers_.at(name); }

Expr Operands::scalar(const std::string &name) const {
    auto integer = integers_.find(name);
    return integer != integers_.end() ? Expr(integer->second) : Expr(reals_.at(name));
}

Expr Operands::width(const std::string &dim, const std::string &operand) const {
    auto fixed = spec_.fixed.find(dim);
    if (fixed != spec_.fixed.end() && dim != contract_.slice) return static_cast<int>(fixed->second);
    if (contract_.choices.count(dim)) return std::stoi(spec_.choice(dim));
    auto extents = shape(operand);
    auto at = std::find(extents.rbegin(), extents.rend(), dim);
    if (at == extents.rend()) throw Error(contract_.name, operand + " has no dimension " + dim);
    return buffer(operand).dim(static_cast<int>(at - extents.rbegin())).extent();
}

std::vector<Var> Operands::point(std::vector<Var> vars) const {
    if (packed_) vars.push_back(sequence_);
    return vars;
}

int Operands::ragged_dimension(const std::string &operand) const {
    auto extents = shape(operand);
    auto at = std::find(extents.rbegin(), extents.rend(), contract_.ragged);
    return at == extents.rend() ? -1 : static_cast<int>(at - extents.rbegin());
}

Expr Operands::of_sequence(const char *call) const {
    return pseudo_call(Int(32), call,
                       {sequence_, equal_steps_, seq_start_(sequence_), seq_start_(sequence_ + 1)});
}

Expr Operands::steps(const std::string &operand) const {
    if (!packed_) return buffer(operand).dim(ragged_dimension(operand)).extent();
    return of_sequence(SequencePass::steps_call);
}

Expr Operands::state(const std::string &name, std::vector<Expr> at) const {
    if (packed_ && contract_.operand(name).per_sequence) at.push_back(sequence_);
    return buffer(name)(at);
}

std::shared_ptr<LoweringPass> Operands::sequence_pass(const Func &output, const std::string &operand) const {
    if (!packed_) return nullptr;
    return std::make_shared<SequencePass>(output.name(), ragged_dimension(operand));
}

Expr Operands::load(const std::string &name, const std::vector<Expr> &at) const {
    const Operand &o = contract_.operand(name);
    std::vector<Expr> index = at;
    int ragged = packed_ ? ragged_dimension(name) : -1;
    if (ragged >= 0) {
        Expr &row = index[static_cast<size_t>(ragged)]; // bounds inference cannot see where a sequence begins
        row = unsafe_promise_clamped(row + of_sequence(SequencePass::first_call), 0,
                                     buffer(name).dim(ragged).extent() - 1);
    }
    Expr element = buffer(name)(index);
    return o.type == "i32" ? element : widen(storage(o.type), element);
}

ImageParam Operands::assigned(const std::string &output) {
    const Operand &o = contract_.operand(output);
    if (o.role != Role::output || packed_) throw Error(contract_.name, output + " cannot be assigned");
    ImageParam p(o.type == "i32" ? Type(Int(32)) : buffer_type(storage(o.type)),
                 static_cast<int>(o.shape.size()), o.name);
    for (int i = 0; i < p.dimensions(); i++) p.dim(i).set_min(0);
    assigned_.push_back(p);
    return p;
}

Expr Operands::given(const std::string &name) const {
    return (scalar("flags") & contract_.operand(name).flag) != 0;
}

Expr Operands::load_or(const std::string &name, const std::vector<Expr> &at, const Expr &otherwise) const {
    return select(given(name), load(name, at), otherwise); // no branch: its stand-in can be read
}

Expr Operands::load_for_dot(const std::string &name, const std::vector<Expr> &at) const {
    return widen_for_dot(buffer(name)(at));
}

Expr Operands::store(const std::string &name, const Expr &value) const {
    Storage type = storage(contract_.operand(name).type);
    return by_call_ && type != Storage::f32 ? PackPass::narrow(type, value) : narrow(type, value);
}

void Operands::promise(Func output) const {
    bool first = true; // of a Tuple the others begin where it does
    for (auto buffer : output.output_buffers()) {
        for (int i = 0; first && i < buffer.dimensions(); i++) buffer.dim(i).set_min(0);
        first = false;
        // The sequences share the rows: SequencePass moves each to its own.
        if (packed_) buffer.dim(buffer.dimensions() - 1).set_stride(0);
    }
}

std::vector<Argument> Operands::arguments() const {
    std::vector<Argument> list;
    for (const auto &o : contract_.operands)
        if (o.role != Role::output) list.emplace_back(buffers_.at(o.name));
    if (packed_) list.emplace_back(seq_start_);
    for (const auto &s : contract_.scalars) {
        if (s.type == "i32")
            list.emplace_back(integers_.at(s.name));
        else
            list.emplace_back(reals_.at(s.name));
    }
    if (packed_) {
        list.emplace_back(equal_steps_);
        list.emplace_back(alignment_);
    }
    list.insert(list.end(), assigned_.begin(), assigned_.end());
    return list;
}

} // namespace ks
