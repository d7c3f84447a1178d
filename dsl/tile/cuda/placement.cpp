// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/placement.h"
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

int rows_of(const ImageParam &w) {
    Expr extent = w.parameter().extent_constraint(1);
    auto known = extent.defined() ? as_const_int(extent) : std::nullopt;
    if (!known) misplaced("the rows of " + w.name() + " are not a constant number");
    return static_cast<int>(*known);
}

// That `column` lies within a row of the output, so that the row of the output is that of A: it is the column
// of the product, and the row of W that belongs to it exists. The weights of an expert, whose number is
// loaded, begin a constant number of rows apart.
void check_column(const Expr &column, const Placement &at, const TileMatmul &m, int stride) {
    Expr left = simplify(at.first_column[0] - column);
    int rows = 0;
    if (is_const_zero(left)) {
        rows = rows_of(m.w);
    } else if (const Mul *scaled = left.as<Mul>(); scaled && m.experts.defined()) {
        const Load *expert = scaled->a.as<Load>();
        auto apart = as_const_int(scaled->b);
        if (expert && expert->name == m.experts.name() && apart) rows = static_cast<int>(*apart);
    }
    rows -= constant(at.first_column.back() - at.first_column[0], "distance of the products");
    if (rows <= 0 || rows > stride) {
        std::ostringstream said;
        said << column;
        misplaced("the output is not stored at the row of A and the column of the product, but at column " +
                  said.str());
    }
}

} // namespace

OutputOrigin place_output(const std::vector<Expr> &stores, const Placement &at, const std::string &thread,
                          const TileMatmul &m, const TileOp &op) {
    if (stores.empty()) misplaced(m.out.name() + " is not stored in the tile");
    OutputOrigin out{Expr(), stores[0], Expr(), row_stride(m.out.output_buffer().parameter())};
    for (const Expr &index : stores)
        if (constant(index - out.index, "step between stores") < 0) out.index = index;
    if (half_rows * out.row_stride < op.result_columns())
        misplaced("the tile is more than eight times as wide as the output");
    out.first_index = in_thread(out.index, thread, 0);

    for (int t = 0; t < op.consumers(); t++) {
        Place due = first_place(op, t);
        int is =
            constant(in_thread(out.index, thread, t) - out.first_index, "step between stores of threads");
        if (is != due.row * out.row_stride + due.column)
            misplaced("thread " + std::to_string(t) + " stores elsewhere than where it computes");
    }
    out.column = simplify(out.first_index - at.first_row * out.row_stride);
    check_column(out.column, at, m, out.row_stride);
    return out;
}

} // namespace ks::tile
