// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/quad_store.h"
#include "dsl/lower/ir_facts.h"
#include "dsl/tile/cuda/calls.h"
#include "dsl/tile/cuda/quad.h"
#include "dsl/tile/cuda/quad_guard.h"
#include "runtime/base/error.h"
#include <algorithm>

namespace ks::tile {
using namespace Halide;
using namespace Halide::Internal;

namespace {

// Code between the stores that are collected does not stay where it is: there may be none but lets, which
// move into the stores, and conditions.
class QuadStores : public IRMutator {
  public:
    explicit QuadStores(const TileContext &context)
        : c_(context), values_(c_.thread, c_.op.consumers(), &c_.around), loads_(c_.own, c_.lets) {}

    void finish() const {
        if (!pairs_.empty()) refuse("a row's groups of columns do not come in fours");
        if (stored_ != c_.op.slabs * c_.op.result_columns() / group_columns * 2)
            refuse("not all results of the tile are stored");
    }

  private:
    struct Pair {
        Expr word;
        Guard guard;
    };
    using IRMutator::visit;
    const TileContext &c_;
    QuadValues values_;
    GuardedLoads loads_;
    std::map<std::string, Expr> lets_;
    std::vector<Expr> conditions_;
    // Those on their way, by QuadValues' number of their row and the step in it; where each such row begins.
    std::map<std::pair<size_t, int64_t>, Pair> pairs_;
    std::map<size_t, Expr> rows_;
    int stored_ = 0;

    [[noreturn]] void refuse(const std::string &cause) const {
        throw Error("quad store of " + c_.matmul.out.name(), cause);
    }

    Expr visit(const Variable *v) override {
        auto known = lets_.find(v->name);
        return known == lets_.end() ? Expr(v) : known->second;
    }
    Stmt visit(const LetStmt *let) override {
        lets_[let->name] = mutate(let->value);
        return mutate(let->body);
    }
    Stmt visit(const IfThenElse *x) override {
        if (x->else_case.defined()) refuse("is in one of two branches");
        conditions_.push_back(mutate(x->condition));
        Stmt body = mutate(x->then_case);
        conditions_.pop_back();
        return body;
    }
    Stmt visit(const For *) override { refuse("is in a loop inside of the tile"); }
    Stmt visit(const Allocate *a) override { refuse("stands beside an allocation of " + a->name); }
    Stmt visit(const Evaluate *e) override {
        if (!is_const(e->value)) refuse("stands beside a call");
        return e;
    }
    Expr visit(const Load *l) override {
        if (l->name == c_.matmul.out.name()) refuse("stands beside a load of it");
        return IRMutator::visit(l);
    }

    // A condition on a column is one on its group.
    void check_alike(const Expr &condition) {
        if (!lower::loads_in(condition).empty()) refuse("is under a condition that is loaded");
        if (!expr_uses_var(condition, c_.thread)) return;
        const LE *le = condition.as<LE>();
        const LT *lt = condition.as<LT>();
        if (!(le && le->a.type() == Int(32)) && !(lt && lt->a.type() == Int(32)))
            refuse("is under a condition of another form than <=");
        if (!values_.find(le ? le->a - le->b : lt->a - lt->b + 1).value.same_sign())
            refuse("is under a condition that lanes of a quad answer differently");
    }

    Stmt visit(const Store *s) override {
        if (s->name != c_.matmul.out.name()) refuse("stands beside a store to " + s->name);
        if (!is_const_one(s->predicate)) refuse("is of single lanes");
        if (s->value.type() != UInt(16, pair_columns)) refuse("is not of pairs of 16 bits");
        Expr index = lower::first_lane(mutate(s->index));
        if (!index.type().is_scalar()) refuse("is not of neighbouring columns");
        auto at = values_.find(c_.lets.mutate(index));
        if (at.value.steps() != QuadValue::Steps{0, pair_columns, 2 * pair_columns, 3 * pair_columns})
            refuse("lanes of a quad do not store side by side");
        if (!at.value.begins_at_multiple(group_columns))
            refuse("groups of columns do not begin at multiples of 16 bytes");
        if (at.offset == 0) rows_[at.like] = index;
        Pair pair{reinterpret(UInt(32), mutate(s->value)), Guard(conditions_, c_.lets)};
        for (const Expr &term : pair.guard.terms()) check_alike(term);
        for (const Expr &e : {index, pair.word}) loads_.add(e, pair.guard);
        if (!pairs_.insert({{at.like, at.offset}, pair}).second) refuse("stores a pair twice");
        stored_++;
        return leave(at.like, at.offset);
    }

    // Of the four neighbouring groups that are there with the one at `offset`.
    Stmt leave(size_t row, int64_t offset) {
        for (int64_t first = offset - 3 * group_columns; first <= offset; first += group_columns) {
            std::vector<Pair> quad;
            for (int i = 0; i < lanes_of_row; i++)
                if (auto pair = pairs_.find({row, first + i * group_columns}); pair != pairs_.end())
                    quad.push_back(pair->second);
            if (quad.size() < lanes_of_row) continue;
            for (int i = 0; i < lanes_of_row; i++) pairs_.erase({row, first + i * group_columns});
            return store(row, first, quad);
        }
        return Evaluate::make(0);
    }

    // Lane q ends with group q, under the guard of that.
    Stmt store(size_t row, int64_t first, const std::vector<Pair> &quad) {
        Expr lane = Variable::make(Int(32), c_.thread) % lanes_of_row;
        Guard due = quad.back().guard;
        for (int i = lanes_of_row - 1; i-- > 0;)
            due = Guard::either(lane == i, quad[static_cast<size_t>(i)].guard, due);
        Expr index = rows_.at(row) + lane * (group_columns - pair_columns);
        std::vector<Expr> arguments = {loads_.inside(index, due), static_cast<int>(first),
                                       cast<int>(due.condition())};
        for (const Pair &pair : quad) arguments.push_back(loads_.inside(pair.word, pair.guard));
        return calls::perform(calls::store_quad, arguments);
    }
};

} // namespace

Stmt quad_stores(const Stmt &code, const TileContext &context) {
    QuadStores stores(context);
    Stmt s = stores.mutate(code);
    stores.finish();
    return s;
}

} // namespace ks::tile
