// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/consumer.h"
#include "dsl/lower/ir_facts.h"
#include "dsl/tile/cuda/calls.h"
#include "dsl/tile/cuda/quad_store.h"
#include "runtime/base/error.h"

namespace ks::tile {
using namespace Halide;
using namespace Halide::Internal;

namespace {

constexpr int groups_of_block = store_block_columns / group_columns;
constexpr int stores_of_block = groups_of_block * 2; // of one thread: two halves of each group

class Consumer : public IRMutator {
  public:
    explicit Consumer(const TileContext &context) : c_(context) {}

    void finish() const {
        if (!c_.output) return;
        int due = c_.op.slabs * c_.op.result_columns() / store_block_columns;
        if (staged_ || stored_blocks_.size() != static_cast<size_t>(due))
            refuse("not all results of the tile are stored");
    }

  private:
    using IRMutator::visit;
    const TileContext &c_;
    int conditions_ = 0, loops_ = 0;
    // The block of results on its way: its number, how many pairs of it are staged, and those gone before.
    int block_ = 0, staged_ = 0;
    std::set<int> stored_blocks_, in_block_;

    [[noreturn]] void refuse(const std::string &cause) const {
        throw Error("staged store of " + c_.matmul.out.name(), cause);
    }
    Expr thread() const { return Variable::make(Int(32), c_.thread); }
    Expr in_shared(const std::string &name, const Type &type, const Expr &index) const {
        if (!c_.shared.count(name)) return index;
        Expr base = Call::make(Int(32), calls::shared_base, {thread(), type.bytes()}, Call::PureExtern);
        return index + (index.type().is_scalar() ? base : Broadcast::make(base, index.type().lanes()));
    }

    Stmt visit(const ProducerConsumer *p) override {
        if (p->is_producer && c_.matmul.product_of(p->name) >= 0) return Evaluate::make(0);
        return IRMutator::visit(p);
    }

    Expr visit(const Load *l) override {
        if (c_.matmul.product_of(l->name) >= 0) return accumulators(l);
        return Load::make(l->type, l->name, in_shared(l->name, l->type.element_of(), mutate(l->index)),
                          l->image, l->param, mutate(l->predicate), l->alignment);
    }

    Expr accumulators(const Load *l) const {
        int first = constant(lower::first_lane(l->index), "accumulator read");
        std::vector<Expr> lanes;
        for (int i = 0; i < l->type.lanes(); i++) {
            auto known = c_.placement.accumulator.find({l->name, first + i});
            if (known == c_.placement.accumulator.end()) refuse("reads " + l->name + " where it is no sum");
            lanes.push_back(Call::make(Float(32), calls::accumulator + std::to_string(known->second),
                                       {thread()}, Call::Extern));
        }
        return lanes.size() == 1 ? lanes[0] : Shuffle::make_concat(lanes);
    }

    Stmt visit(const Store *s) override {
        if (c_.output && s->name == c_.matmul.out.name()) return stage(s);
        if (c_.output && !c_.own.count(s->name))
            refuse("stands beside a store to " + s->name + ", which nothing clips");
        return Store::make(s->name, mutate(s->value),
                           in_shared(s->name, s->value.type().element_of(), mutate(s->index)), s->param,
                           mutate(s->predicate), s->alignment);
    }

    Stmt visit(const IfThenElse *x) override {
        conditions_++;
        Stmt s = IRMutator::visit(x);
        conditions_--;
        return s;
    }
    Stmt visit(const For *f) override {
        loops_++;
        Stmt s = IRMutator::visit(f);
        loops_--;
        return s;
    }

    // Halide's barrier must not wait for the producers.
    Expr visit(const Call *call) override {
        if (!call->is_intrinsic(Call::gpu_thread_barrier)) return IRMutator::visit(call);
        return Call::make(Int(32), calls::barrier, {thread()}, Call::Extern);
    }

    // The value, reading only what exists at its place in the output.
    Expr at_edge(const Expr &value, Place place) const {
        if (c_.extent.exact()) return value;
        Expr holds = inside(c_.extent, *c_.output, c_.placement.first_row, thread(), c_.op, place);
        return load_inside(value, holds, c_.own);
    }

    Stmt stage(const Store *s) {
        if (conditions_)
            refuse("is under a condition: the tensor map clips what is outside, so split with RoundUp");
        if (loops_) refuse("is in a loop inside of the tile");
        if (!is_const_one(s->predicate)) refuse("is under a condition");
        if (s->value.type() != UInt(16, pair_columns)) refuse("is not of pairs of 16 bits");
        Place place = c_.output->step_to(lower::first_lane(c_.lets.mutate(s->index)));
        int slab = place.row / slab_rows, half = place.row % slab_rows / half_rows,
            group = place.column / group_columns;
        bool due = accumulator_at(c_.op, 0, place).has_value();
        int blocks_of_slab = c_.op.result_columns() / store_block_columns;
        int block = slab * blocks_of_slab + group / groups_of_block, in_block = group % groups_of_block;
        if (!due || stored_blocks_.count(block)) refuse("is not one store for each pair of the tile");
        if (!staged_) block_ = block;
        if (block != block_) refuse("leaves a block of 64 columns before all of it is stored");
        if (!in_block_.insert(in_block * 2 + half).second) refuse("stores a pair twice");

        Stmt code = calls::perform(calls::stage,
                                   {in_block, half, reinterpret(UInt(32), mutate(at_edge(s->value, place)))});
        if (staged_++ == 0) code = Block::make(calls::perform(calls::open_block, {thread()}), code);
        if (staged_ < stores_of_block) return code;
        staged_ = 0;
        in_block_.clear();
        stored_blocks_.insert(block);
        Expr first_row = c_.placement.first_row + slab * slab_rows;
        Expr first_column = c_.output->column + block % blocks_of_slab * store_block_columns;
        return Block::make(code, calls::perform(calls::store_block, {first_row, first_column}));
    }
};

} // namespace

Stmt consumer_code(const Stmt &tile, const TileContext &context) {
    Consumer consumer(context);
    Stmt code = consumer.mutate(tile);
    consumer.finish();
    return context.op.quad_store ? quad_stores(code, context) : code;
}

} // namespace ks::tile
