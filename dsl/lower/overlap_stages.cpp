// SPDX-License-Identifier: Apache-2.0
#include "dsl/lower/overlap_stages.h"
#include "dsl/lower/pseudo_calls.h"
#include "runtime/base/error.h"
#include <algorithm>
#include <optional>

namespace ks::lower {
using namespace Halide;
using namespace Halide::Internal;

namespace {

Stmt resolve_statement(const Lets &lets, Stmt s) {
    for (size_t i = lets.size(); i-- > 0;) s = substitute(lets[i].first, lets[i].second, s);
    return s;
}

struct Range {
    int64_t low = INT64_MAX, high = INT64_MIN; // inclusive; empty when low > high
    void add(const Range &r) {
        low = std::min(low, r.low);
        high = std::max(high, r.high);
    }
    bool empty() const { return low > high; }
    bool meets(const Range &r) const { return low <= r.high && r.low <= high; }
};

// Which elements of shared memory a statement reads and writes.
class SharedAccess : public IRVisitor {
  public:
    SharedAccess(std::string subject, std::string shared, const Around &around)
        : subject_(std::move(subject)), shared_(std::move(shared)) {
        for (const auto &[name, values] : around.loops) scope_.push(name, values);
        lets_ = around.lets;
    }
    std::vector<Range> read; // one for each load: what lies between two of them is not read
    Range written;
    bool has_barrier = false;
    std::set<std::string> stored; // what is written, by name

  private:
    using IRVisitor::visit;
    std::string subject_, shared_;
    Scope<Interval> scope_;
    Lets lets_;

    Range range_of(const Expr &index) {
        Expr i = resolve(lets_, index);
        Interval values = bounds_of_expr_in_scope(i, scope_);
        auto end = [](const Expr &e) { return e.defined() ? as_const_int(simplify(e)) : std::nullopt; };
        auto low = end(values.has_lower_bound() ? values.min : Expr()),
             high = end(values.has_upper_bound() ? values.max : Expr());
        if (!low || !high) throw Error(subject_, "an index of shared memory has no constant bounds");
        Range r;
        r.low = *low;
        r.high = *high;
        return r;
    }
    void visit(const Load *op) override {
        if (op->name == shared_) read.push_back(range_of(op->index));
        IRVisitor::visit(op);
    }
    void visit(const Store *op) override {
        if (op->name == shared_) written.add(range_of(op->index));
        stored.insert(op->name);
        IRVisitor::visit(op);
    }
    void visit(const LetStmt *op) override {
        op->value.accept(this);
        lets_.emplace_back(op->name, op->value);
        op->body.accept(this);
        lets_.pop_back();
    }
    void visit(const For *op) override {
        Interval values(op->min, simplify(op->min + op->extent - 1));
        ScopedBinding<Interval> bind(scope_, op->name, values);
        IRVisitor::visit(op);
    }
    // Where only some threads take part: thread < constant.
    void visit(const IfThenElse *op) override {
        op->condition.accept(this);
        Expr test = resolve(lets_, op->condition);
        const LT *less = test.as<LT>();
        const LE *at_most = test.as<LE>();
        const Variable *v = (less ? less->a : at_most ? at_most->a : Expr(0)).as<Variable>();
        Expr last = less ? simplify(less->b - 1) : at_most ? at_most->b : Expr();
        if (v && is_const(last) && scope_.contains(v->name)) {
            Interval fewer(scope_.get(v->name).min, last);
            ScopedBinding<Interval> bind(scope_, v->name, fewer);
            op->then_case.accept(this);
        } else {
            op->then_case.accept(this);
        }
        if (op->else_case.defined()) op->else_case.accept(this);
    }
    void visit(const Call *op) override {
        has_barrier = has_barrier || op->is_intrinsic(Call::gpu_thread_barrier);
        IRVisitor::visit(op);
    }
};

// The array behind a Func in registers: what its producer stores to.
class StoresOf : public IRVisitor {
  public:
    explicit StoresOf(std::string subject) : subject_(std::move(subject)) {}
    std::string array;
    RegisterArray found{Type(), 0};

  private:
    using IRVisitor::visit;
    std::string subject_;
    void visit(const Store *op) override {
        const Ramp *ramp = op->index.as<Ramp>();
        auto at = as_const_int(simplify(ramp ? ramp->base : op->index));
        if (!at || (!array.empty() && array != op->name))
            throw Error(subject_, "is not in registers: store it on the stack and unroll all its loops");
        array = op->name;
        found.type = op->value.type().element_of();
        found.size = std::max(found.size, static_cast<int>(*at) + op->value.type().lanes());
    }
};

struct Holds : IRVisitor {
    using IRVisitor::visit;
    const std::set<std::string> *names;
    bool found = false;
    void visit(const ProducerConsumer *op) override {
        found = found || (op->is_producer && names->count(op->name));
        IRVisitor::visit(op);
    }
};

class Sort {
  public:
    Sort(const OverlapStages &wanted, std::string shared, const Around &around, std::string loop)
        : wanted_(wanted), shared_(std::move(shared)), around_(around), loop_(std::move(loop)) {
        named_ = wanted.prepared;
        named_.insert(wanted.copies.begin(), wanted.copies.end());
        named_.insert(wanted.direct.begin(), wanted.direct.end());
        named_.insert(wanted.main);
        all_ = named_;
        all_.insert(wanted.registers.begin(), wanted.registers.end());
        all_.insert(wanted.once.begin(), wanted.once.end());
    }
    void take(const Stmt &s, Lets lets, const Expr &condition = Expr());
    Stages finish();

  private:
    enum Part { copy, direct, prepared, main, epilogue };
    std::string subject(const std::string &func) const {
        return "overlap of " + wanted_.consumer + ": " + func;
    }
    bool holds_any(const Stmt &s) const {
        Holds h;
        h.names = &all_;
        s.accept(&h);
        return h.found;
    }
    void take_producer(const ProducerConsumer *op, const Lets &lets, const Expr &condition);
    void put(const Stmt &s);
    void add_reads(const std::string &who, const std::vector<Range> &read) {
        read_[who].insert(read_[who].end(), read.begin(), read.end());
    }
    void put_registers(const std::string &func, const Stmt &s);
    SharedAccess access(const Stmt &s) const;
    void check_reads(const std::string &who, const std::vector<Range> &read,
                     const std::vector<std::string> &allowed) const;

    const OverlapStages &wanted_;
    std::string shared_;
    const Around &around_;
    std::string loop_;
    std::set<std::string> named_, all_, seen_;       // stages; and Funcs in registers too; found ones
    std::map<std::string, Range> written_;           // by Func
    std::map<std::string, std::vector<Range>> read_; // by who reads
    Stages out_;
    Part part_ = epilogue;
    std::string func_; // whose statements these are
};

// Lets are put into the statements, which may then stand anywhere. `condition`: the threads that take part.
void Sort::take(const Stmt &s, Lets lets, const Expr &condition) {
    const IfThenElse *test = s.as<IfThenElse>();
    if (const Block *b = s.as<Block>()) {
        take(b->first, lets, condition);
        take(b->rest, lets, condition);
    } else if (test && !test->else_case.defined() && holds_any(test->then_case)) {
        Expr here = resolve(lets, test->condition); // some threads only, or: if the Func is used at all
        take(test->then_case, lets, condition.defined() ? condition && here : here);
    } else if (const LetStmt *let = s.as<LetStmt>()) {
        lets.emplace_back(let->name, let->value);
        take(let->body, lets, condition);
    } else if (const ProducerConsumer *p = s.as<ProducerConsumer>()) {
        take_producer(p, lets, condition);
    } else {
        const Evaluate *e = s.as<Evaluate>();
        const Call *call = e ? e->value.as<Call>() : nullptr;
        if (e && (is_const(e->value) || (call && call->is_intrinsic(Call::gpu_thread_barrier)))) return;
        Stmt whole = resolve_statement(lets, s);
        put(condition.defined() ? IfThenElse::make(condition, whole) : whole);
    }
}

void Sort::take_producer(const ProducerConsumer *op, const Lets &lets, const Expr &condition) {
    if (op->is_producer && (wanted_.registers.count(op->name) || wanted_.once.count(op->name))) {
        Stmt body = resolve_statement(lets, op->body);
        put_registers(op->name, condition.defined() ? IfThenElse::make(condition, body) : body);
        return;
    }
    Part part = part_;
    std::string func = func_;
    if (op->is_producer && named_.count(op->name)) {
        part_ = wanted_.copies.count(op->name)   ? copy
                : wanted_.direct.count(op->name) ? direct
                : op->name == wanted_.main       ? main
                                                 : prepared;
        func_ = op->name;
        seen_.insert(op->name);
    }
    take(op->body, lets, condition);
    part_ = part;
    func_ = func;
}

SharedAccess Sort::access(const Stmt &s) const {
    SharedAccess a("overlap of " + wanted_.consumer, shared_, around_);
    s.accept(&a);
    if (a.has_barrier)
        throw Error("overlap of " + wanted_.consumer, "a stage has a barrier of its own inside a loop");
    return a;
}

void Sort::put_registers(const std::string &func, const Stmt &s) {
    StoresOf stores(subject(func));
    s.accept(&stores);
    if (!seen_.insert(func).second) throw Error(subject(func), "is computed more than once a tile");
    if (wanted_.once.count(func)) {
        if (stmt_uses_var(s, loop_)) throw Error(subject(func), "depends on the tile");
        if (!access(s).read.empty()) throw Error(subject(func), "reads shared memory");
        out_.once.push_back(s);
        return;
    }
    add_reads("the Funcs in registers", access(s).read);
    bool late = part_ == epilogue;
    (late && wanted_.load_late ? out_.late_registers : out_.registers).push_back(s);
    if (late) out_.late[stores.array] = stores.found;
}

void Sort::put(const Stmt &s) {
    SharedAccess a = access(s);
    std::string who = part_ == epilogue ? "the epilogue" : func_;
    add_reads(who, a.read);
    if (part_ != epilogue)
        written_[func_].add(a.written);
    else if (!a.written.empty())
        throw Error("overlap of " + wanted_.consumer, "a Func in shared memory is in no stage");
    // Shared loads into registers can go in front of everything, and may be made for a tile before the first.
    bool load =
        part_ == epilogue && !a.read.empty() &&
        std::includes(around_.registers.begin(), around_.registers.end(), a.stored.begin(), a.stored.end());
    (part_ == copy       ? out_.copy
     : part_ == direct   ? out_.direct
     : part_ == prepared ? out_.prepared
     : part_ == main     ? out_.main
     : load              ? out_.epilogue_loads
                         : out_.epilogue)
        .push_back(s);
}

void Sort::check_reads(const std::string &who, const std::vector<Range> &read,
                       const std::vector<std::string> &allowed) const {
    for (const auto &[func, range] : written_)
        if (std::any_of(read.begin(), read.end(), [&, of = range](const Range &r) { return of.meets(r); }) &&
            std::find(allowed.begin(), allowed.end(), func) == allowed.end())
            throw Error("overlap of " + wanted_.consumer, who + " may not read " + func);
}

Stages Sort::finish() {
    for (const auto &func : all_)
        if (!seen_.count(func)) throw Error(subject(func), "is not computed in the loop over tiles");
    for (auto a = written_.begin(); a != written_.end(); ++a)
        for (auto b = std::next(a); b != written_.end(); ++b)
            if (a->second.meets(b->second))
                throw Error("overlap of " + wanted_.consumer,
                            a->first + " and " + b->first + " share shared memory");
    std::vector<std::string> for_main(wanted_.prepared.begin(), wanted_.prepared.end());
    for_main.insert(for_main.end(), wanted_.direct.begin(), wanted_.direct.end());
    for (const auto &[who, ranges] : read_) {
        std::vector<std::string> allowed;
        if (who == "the Funcs in registers") allowed = {wanted_.copies.begin(), wanted_.copies.end()};
        if (who == wanted_.main) allowed = for_main;
        if (who == "the epilogue") allowed = {wanted_.main};
        check_reads(who, ranges, allowed);
    }
    return out_;
}

} // namespace

Stages sort_stages(const OverlapStages &wanted, const For *loop, const std::string &shared,
                   const Around &around) {
    Sort sort(wanted, shared, around, loop->name);
    sort.take(loop->body, {});
    return sort.finish();
}

} // namespace ks::lower
