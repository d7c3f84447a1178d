// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/cluster.h"
#include "runtime/base/error.h"

namespace ks::tile {
using namespace Halide;
using namespace Halide::Internal;

namespace {

Expr variable(const std::string &name) { return Variable::make(Int(32), name); }

void require(bool holds, const std::string &cause) {
    if (!holds) throw Error("tile schedule", cause);
}

// block = cluster * size + rank. Quotients and remainders by whole clusters leave the rank out or alone,
// which Halide's simplifier does not see.
class ByRank : public IRMutator {
  public:
    ByRank(const std::string &block, const Expr &cluster, const Expr &rank, int size)
        : block_(block), cluster_(cluster), rank_(rank), size_(size) {}

  private:
    using IRMutator::visit;
    const std::string &block_;
    Expr cluster_, rank_;
    int size_;

    // How many whole clusters `b` is, where `a` is the block; else 0.
    int clusters(const Expr &a, const Expr &b) const {
        auto by = as_const_int(b);
        bool whole = is_block(a) && by && *by > 0 && *by % size_ == 0;
        return whole ? static_cast<int>(*by) / size_ : 0;
    }
    bool is_block(const Expr &e) const { return e.as<Variable>() && e.as<Variable>()->name == block_; }

    Expr visit(const Variable *op) override {
        return op->name == block_ ? cluster_ * size_ + rank_ : Expr(op);
    }
    Expr visit(const Div *op) override {
        int by = clusters(op->a, op->b);
        return by ? cluster_ / by : IRMutator::visit(op);
    }
    Expr visit(const Mod *op) override {
        int by = clusters(op->a, op->b);
        return by ? cluster_ % by * size_ + rank_ : IRMutator::visit(op);
    }
};

} // namespace

Cluster::Cluster(const std::string &block, const Expr &blocks, int size)
    : block_(block), cluster_(block + ".cluster"), rank_(block + ".rank"), size_(size) {
    require(ends_with(block, gpu_block_name(0)), "the blocks of clusters are counted in one dimension");
    require(is_const_zero(simplify(blocks % size)), "a cluster lacks blocks");
}

Stmt Cluster::by_rank(const Stmt &code) const {
    Scope<Interval> bounds;
    bounds.push(rank_, Interval(0, size_ - 1));
    Stmt by_rank = ByRank(block_, variable(cluster_), variable(rank_), size_).mutate(code);
    return simplify(by_rank, /*remove_dead_code=*/true, bounds);
}

// The hardware counts in the same way: clusters are neighbours along the first dimension of the grid.
Stmt Cluster::with_rank(const Stmt &code) const {
    Expr block = variable(block_);
    return LetStmt::make(cluster_, block / size_, LetStmt::make(rank_, block % size_, code));
}

Expr Cluster::first_column(const Expr &of_share, const Expr &first_row, int share) const {
    Expr first = simplify(substitute(rank_, 0, of_share));
    bool neighbours = is_const_zero(simplify(of_share - first - variable(rank_) * share));
    require(neighbours && !expr_uses_var(first_row, rank_), "the blocks of a cluster do not share one tile");
    return first;
}

} // namespace ks::tile
