// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/dot_product.h"
#include "dsl/lower/ir_facts.h"
#include "dsl/tile/cuda/row_index.h"
#include "runtime/base/error.h"
#include <set>
#include <sstream>

namespace ks::tile {
using namespace Halide;
using namespace Halide::Internal;

namespace {

std::string text_of(const Expr &e) {
    std::ostringstream text;
    text << e;
    return text.str();
}

[[noreturn]] void refuse(const std::string &product, const std::string &cause, const Expr &e = Expr()) {
    throw Error("tensor cores for " + product, e.defined() ? cause + ": " + text_of(e) : cause);
}

// The loads of an expression, by buffer; two of one buffer make no dot product.
struct Loads {
    std::map<std::string, Expr> of;
    bool twice = false;

    explicit Loads(const Expr &e) {
        for (const Load *op : lower::loads_in(e)) {
            auto known = of.emplace(op->name, op);
            twice = twice || (!known.second && !equal(known.first->second, op));
        }
    }
};

class ReplaceLoad : public IRMutator {
  public:
    ReplaceLoad(const std::string &buffer, const Expr &by) : buffer_(buffer), by_(by) {}

  private:
    using IRMutator::visit;
    std::string buffer_;
    Expr by_;
    Expr visit(const Load *op) override { return op->name == buffer_ ? by_ : IRMutator::visit(op); }
};

class Collect : public IRVisitor {
  public:
    Collect(const TileMatmul &m, const TileOp &op)
        : m_(m),
          op_(op),
          a_stride_(row_stride(m.a.parameter())),
          w_stride_(row_stride(m.w.parameter())),
          length_(op.K ? Expr(op.K) : a_stride_) {
        if (!op.K && !equal(a_stride_, w_stride_))
            refuse(m.out.name(), "rows of a and w are not equally long", w_stride_);
    }
    std::vector<DotProduct> found;

    // Every accumulator that was cleared must have got its sum.
    void finish() const {
        if (!cleared_.empty()) refuse(cleared_.begin()->first, "is cleared and never summed");
    }

  private:
    using IRVisitor::visit;
    using Element = std::pair<std::string, int>;
    const TileMatmul &m_;
    const TileOp &op_;
    Expr a_stride_, w_stride_, length_; // of the sums
    std::string inside_;                // the product whose computation this is; empty outside
    std::vector<const For *> loops_;
    std::set<Element> cleared_;

    void visit(const ProducerConsumer *p) override {
        if (!p->is_producer || m_.product_of(p->name) < 0) return IRVisitor::visit(p);
        std::string outer = std::move(inside_);
        std::vector<const For *> outer_loops = std::move(loops_);
        inside_ = p->name;
        loops_.clear();
        p->body.accept(this);
        inside_ = outer;
        loops_ = outer_loops;
    }

    void visit(const For *f) override {
        loops_.push_back(f);
        IRVisitor::visit(f);
        loops_.pop_back();
    }

    void visit(const IfThenElse *x) override {
        if (!inside_.empty()) refuse(inside_, "its sum is conditional", x->condition);
        IRVisitor::visit(x);
    }

    void visit(const Store *s) override {
        int product = m_.product_of(s->name);
        if (inside_.empty() && product < 0) return IRVisitor::visit(s);
        if (inside_.empty()) refuse(s->name, "is changed outside of its own computation");
        if (product < 0) refuse(inside_, "stores to " + s->name + " inside of its sum");
        auto index = as_const_int(simplify(s->index));
        if (!index) refuse(s->name, "is no register: its elements are not numbered by constants", s->index);
        if (!is_const_one(s->predicate)) refuse(s->name, "its sum is conditional", s->predicate);
        Element element{s->name, static_cast<int>(*index)};
        if (is_const_zero(s->value))
            clear(element);
        else
            add(element, product, s);
    }

    void clear(const Element &element) {
        if (!loops_.empty()) refuse(element.first, "is cleared in a loop");
        if (!cleared_.insert(element).second) refuse(element.first, "is cleared twice");
    }

    void add(const Element &element, int product, const Store *s) {
        const std::string &name = element.first;
        if (!cleared_.erase(element)) refuse(name, "does not sum once, from zero");
        if (loops_.size() != 1 || loops_[0]->for_type != ForType::Serial)
            refuse(name, "its sum is not one serial loop");
        const For *loop = loops_[0];
        if (!is_const_zero(simplify(loop->min)) || !is_length(loop->extent))
            refuse(name, "its sum does not run over [0, K = " + text_of(length_) + ")", loop->extent);
        Loads loads(s->value);
        Expr a = loads.of[m_.a.name()], w = loads.of[m_.w.name()], acc = loads.of[name];
        if (loads.twice || !a.defined() || !w.defined() || !acc.defined() || !is_dot_product(s, acc, a, w))
            refuse(name, "is no sum of products of one element of each operand", s->value);
        Expr k = Variable::make(Int(32), loop->name);
        found.push_back({name, element.second, product, row_of_a(name, a.as<Load>()->index, k, loads),
                         row_of(name, m_.w.name(), w.as<Load>()->index, k, w_stride_)});
    }

    bool is_dot_product(const Store *s, const Expr &acc, const Expr &a, const Expr &w) const {
        if (!equal(simplify(acc.as<Load>()->index), simplify(s->index))) return false;
        Expr said = simplify(s->value), x = widen(op_.storage, a), y = widen(op_.storage, w);
        return equal(said, simplify(acc + x * y)) || equal(said, simplify(acc + y * x));
    }

    bool is_length(const Expr &extent) const { return is_const_zero(simplify(extent - length_)); }

    Expr row_of_a(const std::string &name, const Expr &index, const Expr &k, Loads &loads) const {
        if (!m_.rows.defined()) return row_of(name, m_.a.name(), index, k, a_stride_);
        Expr gathered = loads.of[m_.rows.name()], row = Variable::make(Int(32), "ks_row");
        Expr left = ReplaceLoad(m_.rows.name(), row).mutate(index) - (row * a_stride_ + k);
        if (!gathered.defined() || !is_const_zero(simplify(left)))
            refuse(name, m_.a.name() + " is not read at rows(..) * stride + k", index);
        return gathered.as<Load>()->index;
    }

    // The row r when index = r * stride + k.
    static Expr row_of(const std::string &name, const std::string &buffer, const Expr &index, const Expr &k,
                       const Expr &stride) {
        Expr row, left; // index - row * stride - k
        if (is_const(stride)) {
            row = simplify((index - k) / stride);
            left = simplify(index - k - row * stride);
        } else if (auto at = row_index(index, stride)) {
            row = at->row;
            left = simplify(at->column - k);
        }
        if (!row.defined() || expr_uses_var(row, k.as<Variable>()->name) || !is_const_zero(left))
            refuse(name, buffer + " is not read at row * " + text_of(stride) + " + k", index);
        return row;
    }
};

} // namespace

std::vector<DotProduct> dot_products(const Stmt &body, const TileMatmul &m, const TileOp &op) {
    Collect collect(m, op);
    body.accept(&collect);
    collect.finish();
    return collect.found;
}

} // namespace ks::tile
