// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/edges.h"
#include "dsl/lower/ir_facts.h"

namespace ks::tile {
using namespace Halide;
using namespace Halide::Internal;

namespace {

std::optional<int64_t> known_extent(const TileMatmul &m, int dimension) {
    Expr extent = m.out.output_buffer().parameter().extent_constraint(dimension);
    return extent.defined() ? as_const_int(extent) : std::nullopt;
}

class LoadsInPlace : public IRMutator {
  public:
    explicit LoadsInPlace(const std::string &thread) : varying_{thread} {}

  private:
    using IRMutator::visit;
    std::set<std::string> varying_;

    Stmt visit(const LetStmt *op) override {
        bool varies = false;
        for (const auto &name : varying_) varies |= expr_uses_var(op->value, name);
        if (varies && !lower::loads_in(op->value).empty())
            return mutate(substitute(op->name, op->value, op->body));
        if (varies) varying_.insert(op->name);
        return IRMutator::visit(op);
    }
};

class LoadInside : public IRMutator {
  public:
    LoadInside(const InsideOf &inside_of, const std::set<std::string> &own)
        : inside_of_(inside_of), own_(own) {}

  private:
    using IRMutator::visit;
    const InsideOf &inside_of_;
    const std::set<std::string> &own_;

    // A dense vector stays one: pairs of columns are inside together, and a buffer with columns has a pair.
    static Expr index_inside(const Expr &index, const Expr &inside) {
        if (const Ramp *r = index.as<Ramp>())
            return Ramp::make(Select::make(inside, r->base, make_zero(r->base.type())), r->stride, r->lanes);
        Expr holds = inside;
        if (index.type().is_vector()) holds = Broadcast::make(holds, index.type().lanes());
        return Select::make(holds, index, make_zero(index.type()));
    }

    Expr visit(const Load *op) override {
        if (own_.count(op->name)) return IRMutator::visit(op);
        Expr inside = inside_of_(op);
        if (!inside.defined()) return IRMutator::visit(op);
        return Load::make(op->type, op->name, index_inside(mutate(op->index), inside), op->image, op->param,
                          mutate(op->predicate), ModulusRemainder());
    }
};

} // namespace

Extent output_extent(const TileMatmul &m, const TileOp &op, const Expr &row_count, const Expr &column_count) {
    Extent extent;
    auto columns = known_extent(m, 0);
    if (!columns)
        extent.columns = column_count;
    else if (*columns % op.product_columns())
        extent.columns = static_cast<int>(*columns);
    if (m.out.dimensions() > 2) return extent; // whole tiles of rows
    auto rows = known_extent(m, 1);
    if (!rows)
        extent.rows = row_count;
    else if (*rows % op.rows())
        extent.rows = static_cast<int>(*rows);
    return extent;
}

Expr inside(const Extent &extent, const OutputOrigin &origin, const Expr &first_row, const Expr &thread,
            const TileOp &op, Place step) {
    Expr holds = const_true();
    if (extent.rows.defined()) {
        Expr warp = thread % warpgroup_threads / 32, lane = thread % 32;
        Expr first =
            thread / warpgroup_threads * (op.slabs * slab_rows) + warp * warp_rows + lane / lanes_of_row;
        holds = first_row + first + step.row < extent.rows;
    }
    if (extent.columns.defined())
        holds = holds && origin.column + thread % lanes_of_row * pair_columns + step.column < extent.columns;
    return simplify(holds);
}

Stmt with_loads_in_place(const Stmt &body, const std::string &thread) {
    return LoadsInPlace(thread).mutate(body);
}

Expr load_inside(const Expr &value, const Expr &inside, const std::set<std::string> &own) {
    return load_inside(
        value, [&](const Load *) { return inside; }, own);
}

Expr load_inside(const Expr &value, const InsideOf &inside_of, const std::set<std::string> &own) {
    return LoadInside(inside_of, own).mutate(value);
}

} // namespace ks::tile
