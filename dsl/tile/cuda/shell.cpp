// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/shell.h"
#include "dsl/lower/ir_facts.h"

namespace ks::tile {
using namespace Halide;
using namespace Halide::Internal;

namespace {

class WithoutFree : public IRMutator {
  public:
    explicit WithoutFree(const std::string &name) : name_(name) {}

  private:
    using IRMutator::visit;
    std::string name_;
    Stmt visit(const Free *op) override { return op->name == name_ ? Evaluate::make(0) : Stmt(op); }
};

} // namespace

Shell::Shell(const Stmt &thread_body, const std::set<std::string> &varying)
    : tile_(thread_body), varying_(lower::stored_in(thread_body)) {
    varying_.insert(varying.begin(), varying.end());
    while (peel(tile_)) {
    }
}

bool Shell::varies(const Expr &e) const {
    for (const std::string &name : lower::variables_in(e))
        if (varying_.count(name)) return true;
    for (const Load *load : lower::loads_in(e))
        if (varying_.count(load->name)) return true;
    return false;
}

// The tile is replaced last: it owns what `s` refers to.
bool Shell::peel(const Stmt &s) {
    if (const For *loop = s.as<For>()) {
        if (loop->for_type != ForType::Serial || varies(loop->min) || varies(loop->extent)) return false;
        loops_.insert(loop->name);
        layers_.push_back({s, true});
        tile_ = Stmt(loop->body);
        return true;
    }
    if (const LetStmt *let = s.as<LetStmt>()) {
        bool differs = varies(let->value);
        if (differs) varying_.insert(let->name);
        layers_.push_back({s, !differs});
        tile_ = Stmt(let->body);
        return true;
    }
    if (const Allocate *storage = s.as<Allocate>()) {
        layers_.push_back({s, false});
        tile_ = WithoutFree(storage->name).mutate(storage->body);
        return true;
    }
    if (const IfThenElse *x = s.as<IfThenElse>()) return !x->else_case.defined() && peel_condition(x);
    return false;
}

bool Shell::peel_condition(const IfThenElse *x) {
    std::vector<Expr> terms;
    split_into_ands(x->condition, terms);
    Expr of_block = const_true(), of_thread = const_true();
    for (const Expr &term : terms)
        (varies(term) ? of_thread : of_block) = (varies(term) ? of_thread : of_block) && term;
    of_block = simplify(of_block);
    of_thread = simplify(of_thread);
    if (is_const_one(of_block)) return false;
    layers_.push_back({IfThenElse::make(of_block, Evaluate::make(0)), true});
    Stmt inside = x->then_case;
    tile_ = is_const_one(of_thread) ? inside : IfThenElse::make(of_thread, inside);
    return true;
}

Stmt Shell::wrap(Stmt inner, bool all_layers) const {
    for (size_t i = layers_.size(); i-- > 0;) {
        const Stmt &around = layers_[i].around;
        if (!all_layers && !layers_[i].for_all) continue;
        if (const For *f = around.as<For>())
            inner =
                For::make(f->name, f->min, f->extent, f->for_type, f->partition_policy, f->device_api, inner);
        else if (const LetStmt *let = around.as<LetStmt>())
            inner = LetStmt::make(let->name, let->value, inner);
        else if (const Allocate *a = around.as<Allocate>())
            inner = Allocate::make(a->name, a->type, a->memory_type, a->extents, a->condition,
                                   Block::make(inner, Free::make(a->name)), a->new_expr, a->free_function,
                                   a->padding);
        else
            inner = IfThenElse::make(around.as<IfThenElse>()->condition, inner);
    }
    return inner;
}

Stmt Shell::for_consumers(const Stmt &inner) const { return wrap(inner, true); }
Stmt Shell::for_producers(const Stmt &inner) const { return wrap(inner, false); }

} // namespace ks::tile
