// SPDX-License-Identifier: Apache-2.0
#include "dsl/lower/overlap_pass.h"
#include "dsl/lower/overlap_stages.h"
#include "runtime/base/error.h"

namespace ks {
using namespace Halide;
using namespace Halide::Internal;

namespace {

const char *const keep_call = "ks_keep_until";

// The same statement for another half of the shared memory: `offset` elements further on.
class ShiftShared : public IRMutator {
  public:
    ShiftShared(std::string shared, Expr offset) : shared_(std::move(shared)), offset_(std::move(offset)) {}

  private:
    using IRMutator::visit;
    std::string shared_;
    Expr offset_;

    Expr shifted(const Expr &index) const {
        if (const Ramp *r = index.as<Ramp>()) return Ramp::make(r->base + offset_, r->stride, r->lanes);
        return index.type().is_scalar() ? index + offset_
                                        : index + Broadcast::make(offset_, index.type().lanes());
    }
    // The offset is a multiple of 4 elements; more of the alignment is not known any more.
    static ModulusRemainder kept(const ModulusRemainder &a, int lanes) {
        bool whole = lanes > 1 && lanes <= 4 && a.modulus % lanes == 0 && a.remainder % lanes == 0;
        return whole ? ModulusRemainder(lanes, 0) : ModulusRemainder();
    }
    Expr visit(const Load *op) override {
        if (op->name != shared_) return IRMutator::visit(op);
        return Load::make(op->type, op->name, shifted(mutate(op->index)), op->image, op->param, op->predicate,
                          kept(op->alignment, op->type.lanes()));
    }
    Stmt visit(const Store *op) override {
        if (op->name != shared_) return IRMutator::visit(op);
        Expr value = mutate(op->value);
        return Store::make(op->name, value, shifted(mutate(op->index)), op->param, op->predicate,
                           kept(op->alignment, value.type().lanes()));
    }
};

class RenameLoads : public IRMutator {
  public:
    std::map<std::string, std::string> names;

  private:
    using IRMutator::visit;
    Expr visit(const Load *op) override {
        auto found = names.find(op->name);
        if (found == names.end()) return IRMutator::visit(op);
        return Load::make(op->type, found->second, op->index, op->image, op->param, op->predicate,
                          op->alignment);
    }
};

Stmt copy_registers(const std::string &to, const std::string &from, const lower::RegisterArray &array) {
    std::vector<Stmt> moves;
    for (int i = 0; i < array.size; i++)
        moves.push_back(Store::make(
            to, Load::make(array.type, from, i, Buffer<>(), Parameter(), const_true(), ModulusRemainder()), i,
            Parameter(), const_true(), ModulusRemainder()));
    return Block::make(moves);
}

Stmt barrier() { // 2: shared memory is ordered
    return Evaluate::make(
        Call::make(Int(32), Call::gpu_thread_barrier, {IntImm::make(Int(32), 2)}, Call::Intrinsic));
}

// A tile before the last is whole: of a guarded statement the unguarded copy (GuardsPass).
Stmt of_a_whole_tile(const Stmt &s) {
    const IfThenElse *test = s.as<IfThenElse>();
    return test && test->else_case.defined() ? test->then_case : s;
}

} // namespace

void OverlapPass::verify() const {
    if (!done_)
        throw Error("overlap of " + stages_.consumer,
                    "it has no serial loop over " + stages_.tile + " inside shared memory and threads");
}

Expr keep_until(const Expr &value, const Expr &load) {
    return pseudo_call(value.type(), keep_call, {value, load});
}

Expr OverlapPass::visit(const Call *op) {
    return op->name == keep_call ? mutate(op->args[0]) : ScopedPass::visit(op);
}

Stmt OverlapPass::visit(const Allocate *op) {
    if (op->memory_type == MemoryType::Stack) registers_.insert(op->name);
    if (op->memory_type != MemoryType::GPUShared || done_) return ScopedPass::visit(op);
    if (!shared_.empty() || op->extents.size() != 1 || op->type.bits() != 32 || !is_const(op->extents[0]))
        throw Error("overlap of " + stages_.consumer,
                    "its shared memory must be one allocation of constant size and 32-bit elements");
    shared_ = op->name;
    half_ = simplify((op->extents[0] + 3) / 4 * 4);
    Stmt body = mutate(op->body);
    if (!done_) {
        shared_.clear();
        return op;
    }
    return Allocate::make(op->name, op->type, op->memory_type, {simplify(half_ * 2)}, op->condition, body);
}

Stmt OverlapPass::visit(const For *op) {
    bool is_loop = starts_with(op->name, stages_.consumer + ".s") && ends_with(op->name, "." + stages_.tile);
    if (done_ || shared_.empty() || !is_loop) {
        bool block = op->for_type == ForType::GPUBlock; // its indices cancel
        if (!block) around_.emplace_back(op->name, Interval(op->min, simplify(op->min + op->extent - 1)));
        Stmt s = ScopedPass::visit(op);
        if (!block) around_.pop_back();
        return s;
    }
    if (op->for_type != ForType::Serial)
        throw Error("overlap of " + stages_.consumer, "its loop over tiles must be serial");
    done_ = true;
    Stmt loop = ScopedPass::visit(op); // without keep_until
    lower::Stages parts = lower::sort_stages(stages_, loop.as<For>(), shared_, {around_, lets_, registers_});

    Expr k = Variable::make(Int(32), op->name), first = op->min, last = op->min + op->extent - 1;
    auto of_tile = [&](const std::vector<Stmt> &statements, const Expr &tile) -> Stmt {
        if (statements.empty()) return Evaluate::make(0);
        return ShiftShared(shared_, (tile % 2) * half_)
            .mutate(substitute(op->name, tile, Block::make(statements)));
    };
    // The consumer's register copies were made two tiles before it uses them.
    RenameLoads late;
    std::vector<Stmt> age; // younger over older
    const bool load_late = stages_.load_late;
    for (const auto &[name, array] : parts.late) {
        late.names[name] = name + ".before";
        age.push_back(copy_registers(name + ".before", load_late ? name : name + ".next", array));
        if (!load_late) age.push_back(copy_registers(name + ".next", name, array));
    }
    std::vector<Stmt> loads, rest, whole;
    for (const Stmt &s : parts.epilogue_loads) loads.push_back(late.mutate(s));
    for (const Stmt &s : parts.epilogue) {
        rest.push_back(late.mutate(s));
        whole.push_back(of_a_whole_tile(rest.back()));
    }

    std::vector<Stmt> body = {of_tile(parts.registers, k + 1),
                              of_tile(loads, k - 1),
                              of_tile(parts.copy, k + 2),
                              of_tile(parts.direct, k + 1),
                              of_tile(parts.main, k),
                              of_tile(parts.prepared, k + 1),
                              IfThenElse::make(k > first, of_tile(whole, k - 1))};
    body.insert(body.end(), age.begin(), age.end());
    if (load_late) body.push_back(of_tile(parts.late_registers, k + 1));
    body.push_back(barrier());

    std::vector<Stmt> all = parts.once;
    for (const Stmt &s :
         {of_tile(parts.copy, first), of_tile(parts.direct, first), barrier(),
          of_tile(parts.registers, first), of_tile(parts.prepared, first), of_tile(parts.copy, first + 1)})
        all.push_back(s);
    if (load_late) all.push_back(of_tile(parts.late_registers, first));
    for (const auto &[name, array] : parts.late)
        if (!load_late) all.push_back(copy_registers(name + ".next", name, array));
    all.push_back(barrier());
    all.push_back(For::make(op->name, op->min, op->extent, op->for_type, op->partition_policy, op->device_api,
                            Block::make(body)));
    all.push_back(of_tile(loads, last));
    all.push_back(of_tile(rest, last));
    Stmt made = IfThenElse::make(op->extent > 0, Block::make(all)); // no tile: nothing to read or write
    for (const auto &[name, array] : parts.late)
        for (const char *age_name : {".next", ".before"})
            made = Allocate::make(name + age_name, array.type, MemoryType::Stack, {Expr(array.size)},
                                  const_true(), made);
    return made;
}

} // namespace ks
