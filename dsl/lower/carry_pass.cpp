// SPDX-License-Identifier: Apache-2.0
#include "dsl/lower/carry_pass.h"
#include "dsl/lower/pseudo_calls.h"
#include "dsl/recurrence/recurrence.h"
#include "runtime/base/error.h"
#include <set>

namespace ks {
using namespace Halide;
using namespace Halide::Internal;

namespace {

Expr whole(const Type &t) { return t.is_scalar() ? Expr(0) : Ramp::make(0, 1, t.lanes()); }

Expr load_slot(const std::string &name, const Type &t) {
    return Load::make(t, name, whole(t), Buffer<>(), Parameter(), const_true(t.lanes()),
                      ModulusRemainder(0, 0));
}

Stmt store_slot(const std::string &name, const Expr &v) {
    int lanes = v.type().lanes();
    return Store::make(name, v, whole(v.type()), Parameter(), const_true(lanes), ModulusRemainder(0, 0));
}

} // namespace

// Rewrites the value of one store. A fresh one per store: a graph mutator remembers what it has seen, and the
// step of one store must not stand in for the same-looking step of the next.
class CarryInStore : public IRGraphMutator {
  public:
    explicit CarryInStore(CarryPass *pass) : pass_(pass) {}
    std::vector<Stmt> before;

  private:
    using IRGraphMutator::visit;
    CarryPass *pass_;
    std::set<size_t> updated_;

    Expr visit(const Call *op) override {
        if (op->name == recurrence::touch_call) {
            for (auto &s : lower::prefetches(pass_->lets_, op)) before.push_back(s);
            return mutate(op->args[0]);
        }
        if (op->name == recurrence::carry_call) return carry(op);
        return IRGraphMutator::visit(op);
    }

    Expr carry(const Call *op) {
        Expr state = op->args[0];
        const Load *load =
            lower::load_behind(pass_->lets_, state, "carry pass", "the state of a recurrence must be a load");
        size_t k = pass_->slot_of(load);
        Expr a = mutate(op->args[1]), x = mutate(op->args[2]);
        Expr slot = load_slot(pass_->here_[k].name, load->type);
        if (updated_.insert(k).second) before.push_back(store_slot(pass_->here_[k].name, a * slot + x));
        return slot;
    }
};

void CarryPass::verify() const {
    if (loops_ == 0)
        throw Error("in order execution of " + func_,
                    "it has no serial loop over time of its own: compute it at a "
                    "tile of its consumer and keep time serial");
}

// Halide names loops <func>.s<stage>.<var>, with a suffix when it moved or split them.
bool CarryPass::is_time_loop(const std::string &name) const {
    if (!starts_with(name, func_ + ".s")) return false;
    size_t stage_end = name.find('.', func_.size() + 1);
    if (stage_end == std::string::npos) return false;
    return ends_with(name, "." + time_) || starts_with(name.substr(stage_end + 1) + ".", time_ + ".");
}

size_t CarryPass::slot_of(const Load *load) {
    Expr index = simplify(load->index), predicate = simplify(load->predicate);
    size_t k = 0;
    while (k < here_.size() && !equal(here_[k].home.as<Load>()->index, index)) k++;
    // A partitioned tail holds the same step twice, for whole and for partial vectors; only the partial one
    // says which lanes exist, and what it says holds for both.
    if (k < here_.size() && is_const_one(predicate)) return k;
    if (k == here_.size()) here_.push_back({"ks_slot" + std::to_string(slots_++), Expr()});
    here_[k].home =
        Load::make(load->type, load->name, index, load->image, load->param, predicate, load->alignment);
    return k;
}

Stmt CarryPass::visit(const Store *op) {
    if (!inside_) return op;
    CarryInStore rewrite(this);
    Expr value = rewrite.mutate(substitute_in_all_lets(op->value));
    if (rewrite.before.empty()) return op;
    rewrite.before.push_back(
        Store::make(op->name, value, op->index, op->param, op->predicate, op->alignment));
    return Block::make(rewrite.before);
}

Stmt CarryPass::visit(const For *op) {
    if (inside_ || !is_time_loop(op->name)) return ScopedPass::visit(op);
    if (op->for_type != ForType::Serial)
        throw Error("in order execution of " + func_, "its loop over time must be serial");
    inside_ = true;
    here_.clear();
    Stmt s = IRMutator::visit(op);
    inside_ = false;
    if (here_.empty()) return s;
    loops_++;
    std::vector<Stmt> sequence;
    for (const auto &slot : here_) {
        if (expr_uses_var(slot.home, op->name))
            throw Error("in order execution of " + func_, "the address of the state depends on time");
        sequence.push_back(store_slot(slot.name, slot.home));
    }
    sequence.push_back(s);
    for (const auto &slot : here_) {
        const Load *l = slot.home.as<Load>();
        sequence.push_back(Store::make(l->name, load_slot(slot.name, l->type), l->index, l->param,
                                       l->predicate, l->alignment));
    }
    s = Block::make(sequence);
    for (const auto &slot : here_) {
        Type t = slot.home.type();
        s = Allocate::make(slot.name, t.element_of(), MemoryType::Stack, {t.lanes()}, const_true(), s);
    }
    return s;
}

} // namespace ks
