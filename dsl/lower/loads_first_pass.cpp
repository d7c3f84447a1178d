// SPDX-License-Identifier: Apache-2.0
#include "dsl/lower/loads_first_pass.h"
#include "dsl/lower/pseudo_calls.h"
#include "runtime/base/error.h"
#include <set>

namespace ks {
using namespace Halide;
using namespace Halide::Internal;

namespace {

struct Contents : IRGraphVisitor {
    explicit Contents(std::set<std::string> known = {}) : own(std::move(known)) {}
    using IRGraphVisitor::visit;
    std::set<std::string> own; // memory of the thread
    bool loops = false, reads_own = false;
    void visit(const Load *op) override {
        reads_own = reads_own || own.count(op->name);
        IRGraphVisitor::visit(op);
    }
    void visit(const For *op) override {
        loops = true;
        IRGraphVisitor::visit(op);
    }
    void visit(const Allocate *op) override {
        own.insert(op->name);
        IRGraphVisitor::visit(op);
    }
};

// Loads that are made whatever happens, each once, those that the index of another needs before it.
struct Unconditional : IRGraphVisitor {
    explicit Unconditional(const std::set<std::string> &own) : own_(own) {}
    std::vector<Expr> loads;

  private:
    using IRGraphVisitor::visit;
    const std::set<std::string> &own_;
    lower::Lets lets_;

    template <typename LetOrLetStmt>
    void visit_let(const LetOrLetStmt *op) {
        op->value.accept(this);
        lets_.emplace_back(op->name, op->value);
        op->body.accept(this);
        lets_.pop_back();
    }
    void visit(const LetStmt *op) override { visit_let(op); }
    void visit(const Let *op) override { visit_let(op); }
    void visit(const Load *op) override {
        IRGraphVisitor::visit(op);
        Expr load = lower::resolve(lets_, op);
        Contents contents(own_);
        load.accept(&contents);
        if (contents.reads_own) return;
        for (const Expr &known : loads)
            if (graph_equal(known, load)) return;
        loads.push_back(load);
    }
    void visit(const Call *op) override {
        if (op->is_intrinsic(Call::if_then_else))
            op->args[0].accept(this);
        else
            IRGraphVisitor::visit(op);
    }
    void visit(const IfThenElse *op) override { op->condition.accept(this); }
};

struct Replace : IRGraphMutator {
    using IRGraphMutator::visit;
    lower::Lets values; // name and load
    lower::Lets lets;
    template <typename LetOrLetStmt>
    auto visit_let(const LetOrLetStmt *op) {
        Expr value = mutate(op->value);
        lets.emplace_back(op->name, op->value);
        auto body = mutate(op->body);
        lets.pop_back();
        return LetOrLetStmt::make(op->name, value, body);
    }
    Stmt visit(const LetStmt *op) override { return visit_let(op); }
    Expr visit(const Let *op) override { return visit_let(op); }
    Expr visit(const Load *op) override {
        Expr resolved = lower::resolve(lets, op);
        for (const auto &[name, load] : values)
            if (graph_equal(load, resolved)) return Variable::make(op->type, name);
        return IRGraphMutator::visit(op);
    }
};

// The one condition under which all statements of a thread stand that do more than fill its own memory;
// undefined when there is none.
struct CommonGuard : IRVisitor {
    CommonGuard(lower::Lets lets, const std::set<std::string> &own) : lets_(std::move(lets)), own_(own) {}
    Expr found;
    bool differ = false;
    Expr of(const IfThenElse *op) const { return simplify(lower::resolve(lets_, op->condition)); }

  private:
    using IRVisitor::visit;
    lower::Lets lets_;
    const std::set<std::string> &own_;
    void visit(const IfThenElse *op) override {
        differ = differ || op->else_case.defined() || (found.defined() && !graph_equal(found, of(op)));
        found = of(op);
    }
    void visit(const Store *op) override { differ = differ || !own_.count(op->name); }
    void visit(const LetStmt *op) override {
        lets_.emplace_back(op->name, op->value);
        op->body.accept(this);
        lets_.pop_back();
    }
};

struct WithoutGuards : IRMutator { // whose outermost ones hold
    using IRMutator::visit;
    Stmt visit(const IfThenElse *op) override { return op->then_case; }
};

// `s` with its loads in front, inside the lets and guards that it begins with.
Stmt loads_in_front(const Stmt &s, const std::set<std::string> &own, int &count, lower::Lets known = {}) {
    if (const LetStmt *let = s.as<LetStmt>()) {
        known.emplace_back(let->name, let->value);
        return LetStmt::make(let->name, let->value, loads_in_front(let->body, own, count, known));
    }
    const IfThenElse *guard = s.as<IfThenElse>();
    if (guard && !guard->else_case.defined())
        return IfThenElse::make(guard->condition, loads_in_front(guard->then_case, own, count, known));
    CommonGuard common(known, own);
    s.accept(&common);
    if (common.found.defined() && !common.differ)
        return IfThenElse::make(common.found, loads_in_front(WithoutGuards().mutate(s), own, count, known));
    Unconditional find(own);
    s.accept(&find);
    Replace replace;
    lower::Lets lets;
    for (const Expr &load : find.loads) {
        const Load *l = load.as<Load>();
        Expr value = Load::make(l->type, l->name, replace.mutate(l->index), l->image, l->param, l->predicate,
                                l->alignment); // whose index may need an earlier one
        replace.values.emplace_back(unique_name("loaded"), load);
        lets.emplace_back(replace.values.back().first, value);
    }
    count += static_cast<int>(lets.size());
    Stmt body = replace.mutate(s);
    for (size_t i = lets.size(); i-- > 0;) body = LetStmt::make(lets[i].first, lets[i].second, body);
    return body;
}

} // namespace

void LoadsFirstPass::verify() const {
    if (loads_ == 0) throw Error("loads-first pass", "no kernel without loops loads anything");
}

Stmt LoadsFirstPass::visit(const For *op) {
    if (op->for_type != ForType::GPUThread) return IRMutator::visit(op);
    Contents contents;
    op->body.accept(&contents);
    if (contents.loops) return op;
    return For::make(op->name, op->min, op->extent, op->for_type, op->partition_policy, op->device_api,
                     loads_in_front(op->body, contents.own, loads_));
}

} // namespace ks
