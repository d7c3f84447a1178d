// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/tensorize_pass.h"
#include "dsl/lower/ir_facts.h"
#include "dsl/tile/cuda/calls.h"
#include "dsl/tile/cuda/consumer.h"
#include "dsl/tile/cuda/uniform_condition.h"
#include "runtime/base/error.h"

namespace ks::tile {
using namespace Halide;
using namespace Halide::Internal;

namespace {

// Known to the host.
constexpr const char *indexed_rows = "ks_tile_indexed_rows", *output_rows = "ks_tile_output_rows",
                     *output_columns = "ks_tile_output_columns", *rows_of_a = "ks_tile_rows_of_a",
                     *rows_of_w = "ks_tile_rows_of_w", *length_of_rows = "ks_tile_length_of_rows";

// Sums live in named registers: their allocations go, and only loops, lets and conditions stay around a tile.
class WithoutSums : public IRMutator {
  public:
    explicit WithoutSums(const TileMatmul &m) : m_(m) {}
    bool met = false;

  private:
    using IRMutator::visit;
    const TileMatmul &m_;
    static bool is_nothing(const Stmt &s) { return s.as<Evaluate>() && is_const(s.as<Evaluate>()->value); }

    Stmt visit(const Allocate *op) override {
        if (m_.product_of(op->name) < 0) return IRMutator::visit(op);
        met = true;
        return mutate(op->body);
    }
    Stmt visit(const Free *op) override { return m_.product_of(op->name) < 0 ? Stmt(op) : Evaluate::make(0); }
    Stmt visit(const Block *op) override {
        Stmt first = mutate(op->first), rest = mutate(op->rest);
        return is_nothing(first) ? rest : is_nothing(rest) ? first : Block::make(first, rest);
    }
};

// The tile must be the same one all through the code inside the shell.
void check_origin(const Expr &origin, const Stmt &tile) {
    std::set<std::string> inside = lower::loops_in(tile);
    for (const auto &name : lower::variables_in(origin))
        if (inside.count(name))
            throw Error("tile schedule", "the place of the tile depends on the loop " + name +
                                             ", which is not around all of it");
}

Expr first_element(const std::string &buffer, const Type &type) {
    return Load::make(type, buffer, 0, Buffer<>(), Parameter(), const_true(), ModulusRemainder());
}

// What consumers do with the sums; where all threads make a choice alike, once for each answer.
Stmt rest_of_tile(const Shell &shell, const TileContext &context) {
    Expr given = uniform_condition(shell.tile(), [&](const Expr &e) { return shell.varies(e); });
    if (!given.defined()) return consumer_code(shell.tile(), context);
    auto where = [&](bool holds) {
        return consumer_code(with_condition(shell.tile(), given, holds), context);
    };
    return IfThenElse::make(given, where(true), where(false));
}

// The kernel reads and writes these by address only in instructions that Halide does not see. An element of
// each keeps them among its arguments; the emitter reads which ones off the text.
Stmt keep_operands(const TileMatmul &m, bool output) {
    auto keep = [](calls::Operand which, const Expr &element) {
        return calls::perform(calls::operand, {static_cast<int>(which), cast<uint32_t>(element)});
    };
    Stmt both = Block::make(keep(calls::Operand::a, first_element(m.a.name(), UInt(16))),
                            keep(calls::Operand::w, first_element(m.w.name(), UInt(16))));
    if (!output) return both;
    return Block::make(both, keep(calls::Operand::out, first_element(m.out.name(), UInt(16))));
}

} // namespace

TensorizePass::TensorizePass(const TileMatmul &matmul, const TileOp &op) : matmul_(matmul), op_(op) {
    check(op);
    constexpr int unit = 8; // elements in 16 bytes, the alignment of tensor maps and asynchronous copies
    auto aligned = [](const Parameter &p, int elements) {
        ModulusRemainder stride = modulus_remainder(row_stride(p));
        if (stride.modulus % elements || stride.remainder % elements)
            throw Error("tile operand " + p.name(), "its rows do not begin at multiples of 16 bytes");
    };
    aligned(matmul.a.parameter(), unit);
    aligned(matmul.w.parameter(), unit);
    if (op.unit == Unit::mma && (matmul.a.dimensions() != 2 || matmul.w.dimensions() != 2))
        throw Error("tile operand", "mma reads operands of two dimensions");
    if (op.staged_store || op.quad_store) aligned(matmul.out.output_buffer().parameter(), unit);
    if (op.quad_store && matmul.out.output_buffer().host_alignment() % chunk_bytes)
        throw Error("tile operand " + matmul.out.name(), "does not begin at a multiple of 16 bytes");
}

void TensorizePass::verify() const {
    if (kernels_ != 1)
        throw Error("tensor cores for " + matmul_.out.name(),
                    kernels_ ? "more than one kernel computes it" : "no GPU loop over threads computes it");
}

Stmt TensorizePass::visit(const Allocate *op) {
    if (op->memory_type == MemoryType::GPUShared) shared_.insert(op->name);
    return IRMutator::visit(op);
}

Stmt TensorizePass::visit(const LetStmt *op) {
    lets_.emplace_back(op->name, op->value);
    bool integer = op->value.type() == Int(32);
    ModulusRemainder known = integer ? modulus_remainder(op->value, around_) : ModulusRemainder();
    ScopedBinding<ModulusRemainder> bound(around_, op->name, known);
    Stmt s = IRMutator::visit(op);
    lets_.pop_back();
    return s;
}

Stmt TensorizePass::visit(const IfThenElse *op) {
    if (cluster_) throw Error("tile schedule", "a block may leave before the others of its cluster");
    return IRMutator::visit(op);
}

Stmt TensorizePass::visit(const For *op) {
    if (op->for_type == ForType::GPUThread) return thread_loop(op);
    if (op->for_type != ForType::GPUBlock) return IRMutator::visit(op);
    if (op_.splits > 1) {
        if (cluster_) throw Error("tile schedule", "the blocks of clusters are counted in one dimension");
        Expr blocks = op->extent;
        for (size_t i = lets_.size(); i-- > 0;) blocks = substitute(lets_[i].first, lets_[i].second, blocks);
        cluster_.emplace(op->name, blocks, op_.splits);
    }
    Stmt s = IRMutator::visit(op);
    cluster_.reset();
    for (const auto &[name, extent] : host_extents_) {
        Expr buffer = Variable::make(type_of<halide_buffer_t *>(), extent.first + ".buffer");
        Expr value = Call::make(Int(32), Call::buffer_get_extent, {buffer, extent.second}, Call::Extern);
        s = LetStmt::make(name, value, s);
    }
    host_extents_.clear();
    return s;
}

// The distance of the rows of A or W, in which they are alike where the launch says it: the length of both.
Expr TensorizePass::operand_stride(const ImageParam &buffer) {
    Expr stride = row_stride(buffer.parameter());
    return is_const(stride) ? stride : length();
}

// What the proofs must know of names from around the kernel where strides are no constants.
void TensorizePass::define_strides(InlineLets &lets) const {
    for (const Parameter &p :
         {matmul_.a.parameter(), matmul_.w.parameter(), matmul_.out.output_buffer().parameter()}) {
        Expr stride = p.stride_constraint(1);
        if (!stride.defined() || is_const(simplify(stride))) continue;
        stride = row_stride(p);
        lets.define(p.name() + ".stride.1", stride);
        for (const auto &[name, value] : lets_)
            if (equal(simplify(value), stride)) lets.define(name, stride);
    }
}

Expr TensorizePass::length() {
    host_extents_[length_of_rows] = {matmul_.a.name(), 0};
    return Variable::make(Int(32), length_of_rows);
}

// Rows past the last one are read as the last: what becomes of them leaves nowhere.
Expr TensorizePass::row_start(const ImageParam &buffer, const Expr &row, const char *count) {
    host_extents_[count] = {buffer.name(), 1};
    return min(row, Variable::make(Int(32), count) - 1) * operand_stride(buffer);
}

// Each of `threads` threads copies 16 bytes of rows that are `threads` / 8 apart. Loads of the row index are
// ordinary code.
std::vector<Stmt> TensorizePass::row_starts(const Placement &at, const Expr &copier, int threads) {
    int at_once = copied_rows(threads);
    std::vector<Stmt> code;
    auto add = [&](const Expr &start) {
        code.push_back(calls::perform(calls::set_row, {static_cast<int>(code.size()), start}));
    };
    Expr in_round = copier / chunks_of_row;
    for (int row = 0; row < op_.rows(); row += at_once) {
        Expr place = at.first_row + in_round + row;
        if (op_.gathered) {
            if (!matmul_.experts.defined()) { // else tiles of rows are whole
                host_extents_[indexed_rows] = {matmul_.rows.name(), 0};
                place = min(place, Variable::make(Int(32), indexed_rows) - 1);
            }
            place = Load::make(Int(32), matmul_.rows.name(), place, Buffer<>(), Parameter(), const_true(),
                               ModulusRemainder());
            add(place * operand_stride(matmul_.a));
        } else {
            add(row_start(matmul_.a, place, rows_of_a));
        }
    }
    if (op_.unit == Unit::wgmma) return code; // boxes of a tensor map bring W
    for (int column = 0; column < op_.columns; column += at_once) {
        const Expr &first = at.first_column[static_cast<size_t>(column / op_.product_columns())];
        add(row_start(matmul_.w, first + in_round + column % op_.product_columns(), rows_of_w));
    }
    return code;
}

Stmt TensorizePass::produce(const Placement &at, const Expr &thread) {
    std::vector<Expr> origin = {at.first_row};
    for (const Expr &column : at.first_column)
        origin.push_back(cluster_ ? cluster_->first_column(column, at.first_row, op_.result_columns())
                                  : column);
    std::vector<Stmt> code;
    if (op_.gathered) code = row_starts(at, thread - op_.consumers(), op_.producer_threads);
    code.push_back(calls::perform(calls::produce, origin));
    return Block::make(code);
}

Stmt TensorizePass::thread_loop(const For *op) {
    WithoutSums without_sums(matmul_);
    Stmt body = without_sums.mutate(op->body);
    if (!without_sums.met) return IRMutator::visit(op);
    kernels_++;
    std::set<std::string> varying = {op->name};
    if (cluster_) {
        body = cluster_->by_rank(body);
        varying.insert(cluster_->rank());
    }
    auto threads = as_const_int(simplify(op->extent));
    if (!threads || *threads != op_.consumers())
        throw Error("tile schedule", "the block has not the " + std::to_string(op_.consumers()) +
                                         " threads of the tile, in one dimension");
    Expr thread = Variable::make(Int(32), op->name);
    InlineLets lets;
    define_strides(lets);
    Stmt inlined = lets.mutate(body);
    Placement placement = place(dot_products(inlined, matmul_, op_), op->name, op_);
    OutputOrigin output;
    Extent extent;
    if (op_.staged_store) {
        output =
            place_output(lower::stores_to(matmul_.out.name(), inlined), placement, op->name, matmul_, op_);
        extent = output_extent(matmul_, op_, Variable::make(Int(32), output_rows),
                               Variable::make(Int(32), output_columns));
        if (!extent.exact()) body = with_loads_in_place(body, op->name);
    }
    Shell shell(body, varying);
    check_origin(placement.first_row, shell.tile());
    for (const Expr &column : placement.first_column) check_origin(column, shell.tile());

    std::set<std::string> own = lower::allocations_in(op->body); // the sums too
    own.insert(shared_.begin(), shared_.end());
    TileContext context{matmul_, op_,     op->name, placement, op_.staged_store ? &output : nullptr,
                        extent,  shared_, own,      lets,      around_};
    Stmt tile = Block::make(calls::perform(calls::multiply, {thread}), rest_of_tile(shell, context));
    if (stmt_uses_var(tile, output_rows)) host_extents_[output_rows] = {matmul_.out.name(), 1};
    if (stmt_uses_var(tile, output_columns)) host_extents_[output_columns] = {matmul_.out.name(), 0};
    Stmt all;
    if (op_.unit == Unit::mma) {
        std::vector<Stmt> starts = row_starts(placement, thread, op_.threads());
        all = shell.for_consumers(Block::make(Block::make(starts), tile));
    } else {
        all = roles(thread, shell.for_consumers(tile), shell.for_producers(produce(placement, thread)));
    }
    all = Block::make(calls::perform(calls::init, {thread}), all);
    if (!op_.K) all = Block::make(calls::perform(calls::length, {length()}), all);
    all = Block::make(keep_operands(matmul_, op_.staged_store || op_.quad_store), all);
    if (cluster_) all = cluster_->with_rank(all);
    return For::make(op->name, op->min, op_.threads(), op->for_type, op->partition_policy, op->device_api,
                     all);
}

Stmt TensorizePass::roles(const Expr &thread, Stmt consumers, Stmt producers) const {
    consumers = Block::make(calls::perform(calls::consumer, {thread}), consumers);
    if (op_.staged_store) consumers = Block::make(consumers, calls::perform(calls::drain, {thread}));
    if (!op_.gathered) producers = IfThenElse::make(thread == op_.consumers(), producers); // one thread does
    if (cluster_) producers = Block::make(producers, calls::perform(calls::join, {thread}));
    producers = Block::make(calls::perform(calls::producer, {thread}), producers);
    return IfThenElse::make(thread < op_.consumers(), consumers, producers);
}

} // namespace ks::tile
