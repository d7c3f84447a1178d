// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/placement.h"
#include "dsl/tile/cuda/row_index.h"
#include "runtime/base/error.h"
#include <set>
#include <sstream>

namespace ks::tile {
using namespace Halide;
using namespace Halide::Internal;

namespace {

[[noreturn]] void misplaced(const std::string &cause) { throw Error("tile schedule", cause); }

std::string to_string(const Place &p) {
    return "(" + std::to_string(p.row) + ", " + std::to_string(p.column) + ")";
}

Expr in_thread(const Expr &e, const std::string &thread, int number) {
    return simplify(substitute(thread, Expr(number), e));
}

// The element at the least row and column of each product.
std::vector<const DotProduct *> first_elements(const std::vector<DotProduct> &dots, const TileOp &op) {
    std::vector<const DotProduct *> first(static_cast<size_t>(op.products), nullptr);
    for (const DotProduct &dot : dots) {
        const DotProduct *&least = first[static_cast<size_t>(dot.product)];
        if (!least || (constant(dot.row - least->row, "step between rows") <= 0 &&
                       constant(dot.column - least->column, "step between columns") <= 0))
            least = &dot;
    }
    for (size_t i = 0; i < first.size(); i++)
        if (!first[i]) misplaced("product " + std::to_string(i) + " is not computed in the tile");
    return first;
}

// Where each thread's first element lies in the tile.
void check_threads(const DotProduct &first, const Placement &at, const std::string &thread,
                   const TileOp &op) {
    const Expr &column = at.first_column[static_cast<size_t>(first.product)];
    for (int t = 0; t < op.consumers(); t++) {
        Place is{constant(in_thread(first.row, thread, t) - at.first_row, "row of a thread"),
                 constant(in_thread(first.column, thread, t) - column, "column of a thread")};
        Place due = first_place(op, t);
        if (!(is == due))
            misplaced("thread " + std::to_string(t) + " begins at " + to_string(is) +
                      " of the tile, the tensor cores put " + to_string(due) + " there");
    }
}

} // namespace

int constant(const Expr &e, const std::string &what) {
    Expr known = simplify(e);
    auto value = as_const_int(known);
    if (value) return static_cast<int>(*value);
    std::ostringstream said;
    said << "the " << what << " is not constant: " << known;
    misplaced(said.str());
}

Placement place(const std::vector<DotProduct> &dots, const std::string &thread, const TileOp &op) {
    auto first = first_elements(dots, op);
    Placement at;
    at.first_row = in_thread(first[0]->row, thread, 0);
    for (const DotProduct *f : first) {
        at.first_column.push_back(in_thread(f->column, thread, 0));
        check_threads(*f, at, thread, op);
    }
    std::set<int> taken;
    for (const DotProduct &dot : dots) {
        const DotProduct &f = *first[static_cast<size_t>(dot.product)];
        Place step{constant(dot.row - f.row, "step between rows"),
                   constant(dot.column - f.column, "step between columns")};
        auto number = accumulator_at(op, dot.product, step);
        if (!number || !taken.insert(*number).second)
            misplaced("an element at " + to_string(step) + " from the first of its thread is " +
                      (number ? "computed twice" : "not that thread's in the tensor cores"));
        at.accumulator[{dot.allocation, dot.index}] = *number;
    }
    if (static_cast<int>(taken.size()) != op.results())
        misplaced("a thread computes " + std::to_string(taken.size()) + " elements of its " +
                  std::to_string(op.results()));
    return at;
}

namespace {

Expr rows_of(const ImageParam &w) {
    Expr extent = w.parameter().extent_constraint(1);
    if (!extent.defined()) misplaced("the rows of " + w.name() + " are not a known number");
    return simplify(extent);
}

// That `column` lies within a row of the output, so that the row of the output is that of A: it is the column
// of the product, and the row of W that belongs to it exists. The weights of an expert, whose number is
// loaded, begin a constant number of rows apart.
void check_column(const Expr &column, const Placement &at, const TileMatmul &m, const Expr &stride) {
    Expr left = simplify(at.first_column[0] - column), rows = 0;
    if (is_const_zero(left)) {
        rows = rows_of(m.w);
    } else if (const Mul *scaled = left.as<Mul>(); scaled && m.experts.defined()) {
        const Load *expert = scaled->a.as<Load>();
        if (expert && expert->name == m.experts.name() && is_const(scaled->b)) rows = scaled->b;
    }
    rows = simplify(rows - (at.first_column.back() - at.first_column[0]));
    bool within = is_const(rows) && is_const(stride)
                      ? *as_const_int(rows) > 0 && *as_const_int(rows) <= *as_const_int(stride)
                      : equal(rows, stride);
    if (!within) {
        std::ostringstream said;
        said << column;
        misplaced("the output is not stored at the row of A and the column of the product, but at column " +
                  said.str());
    }
}

Place step_between_stores(const Expr &apart, const Expr &stride) {
    const char *what = "step between stores";
    if (!is_const(stride)) {
        auto at = row_index(apart, stride);
        return {constant(at ? at->row : apart, what), constant(at ? at->column : apart, what)};
    }
    // A tile may be wider than a row of the output, but not than the eight to the next row of a thread.
    int step = constant(apart, what), next_half = half_rows * static_cast<int>(*as_const_int(stride));
    return {step / next_half * half_rows, step % next_half};
}

bool is_before(const Expr &store, const Expr &other, const Expr &stride) {
    if (is_const(stride)) return constant(store - other, "step between stores") < 0;
    Place step = step_between_stores(store - other, stride);
    return step.row < 0 || (step.row == 0 && step.column < 0);
}

void check_stores(const OutputOrigin &out, const std::string &thread, const TileOp &op) {
    for (int t = 0; t < op.consumers(); t++) {
        Place due = first_place(op, t);
        Expr apart = in_thread(out.index, thread, t) - out.first_index;
        bool there = is_const(out.row_stride)
                         ? is_const_zero(simplify(apart - due.row * out.row_stride - due.column))
                         : step_between_stores(apart, out.row_stride) == due;
        if (!there) misplaced("thread " + std::to_string(t) + " stores elsewhere than where it computes");
    }
}

} // namespace

Place OutputOrigin::step_to(const Expr &other) const {
    return step_between_stores(other - index, row_stride);
}

OutputOrigin place_output(const std::vector<Expr> &stores, const Placement &at, const std::string &thread,
                          const TileMatmul &m, const TileOp &op) {
    if (stores.empty()) misplaced(m.out.name() + " is not stored in the tile");
    OutputOrigin out{Expr(), stores[0], Expr(), row_stride(m.out.output_buffer().parameter())};
    for (const Expr &index : stores)
        if (is_before(index, out.index, out.row_stride)) out.index = index;
    if (auto stride = as_const_int(out.row_stride); stride && half_rows * *stride < op.result_columns())
        misplaced("the tile is more than eight times as wide as the output");
    out.first_index = in_thread(out.index, thread, 0);
    check_stores(out, thread, op);
    out.column = simplify(out.first_index - at.first_row * out.row_stride);
    if (auto index = is_const(out.row_stride) ? std::nullopt : row_index(out.first_index, out.row_stride);
        index && is_const_zero(simplify(index->row - at.first_row)))
        out.column = index->column;
    check_column(out.column, at, m, out.row_stride);
    return out;
}

} // namespace ks::tile
