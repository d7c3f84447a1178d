// SPDX-License-Identifier: Apache-2.0
// What both units of a row product have in common: vectors of the operands, rounds over K, and the blocks and
// threads of the consumer.
#include "dsl/tile/cuda/row_product.h"
#include "dsl/lower/aligned_pass.h"
#include "dsl/lower/words_pass.h"
#include "dsl/tile/cuda/row_mma.h"

namespace ks::tile {
using namespace Halide;
using Halide::Internal::as_const_int;

namespace {

constexpr int words_of_access = 4;

int const_or_0(const Expr &e) {
    auto value = as_const_int(simplify(e));
    return value ? static_cast<int>(*value) : 0;
}

} // namespace

RowProduct::RowProduct(const Terms &terms, const RowPlan &plan, const std::string &name)
    : terms_(terms), plan_(plan), sums_(name + "_sums"), partial_(name + "_partial") {
    check(plan, terms.x_storage, terms.w_storage, const_or_0(terms.K), terms.parts);
    divide_k(name);
    if (plan.mma())
        define_mma();
    else
        define_fma();
}

// Rounds that are unrolled by the plan, and the rest without a loop where its number is known.
void RowProduct::divide_k(const std::string &name) {
    vectors_ = simplify((terms_.K + plan_.vector - 1) / plan_.vector);
    int in_round = plan_.slices * plan_.steps * plan_.vectors_across();
    Expr all = simplify((vectors_ + in_round - 1) / in_round);
    Expr unrolled = simplify(vectors_ / in_round / plan_.unroll * plan_.unroll);
    auto add = [&](const Expr &first, const Expr &count, int unroll) {
        if (Internal::is_const_zero(count)) return;
        std::string suffix = std::to_string(rounds_.size());
        // Steps of mma have sums of their own, so that they need not wait for each other.
        RDom k({{0, plan_.mma() ? 1 : plan_.vector}, {0, plan_.mma() ? 1 : plan_.steps}, {first, count}},
               name + "_k" + suffix);
        rounds_.push_back({k, unroll, Func(name + "_x" + suffix), Func(name + "_w" + suffix)});
    };
    add(0, unrolled, plan_.unroll);
    Expr rest = simplify(all - unrolled);
    add(unrolled, rest, std::max(const_or_0(rest), 1));
}

std::vector<Expr> RowProduct::at(std::vector<Expr> inner) const {
    inner.insert(inner.end(), terms_.outer.begin(), terms_.outer.end());
    return inner;
}

std::vector<Var> RowProduct::over(std::vector<Var> inner) const {
    inner.insert(inner.end(), terms_.outer.begin(), terms_.outer.end());
    return inner;
}

int RowProduct::words(Storage storage) const {
    return plan_.vector == 1 ? 1 : plan_.vector * bytes_of(storage) / 4;
}

// Vectors beyond K are zero in both factors, so that what is not finite in one of them meets nothing.
Expr RowProduct::word(Storage storage, const std::function<Expr(const Expr &)> &element) const {
    bool pairs = plan_.vector > 1 && storage != Storage::f32;
    Expr value = element(min(vector_, vectors_ - 1) * plan_.vector + word_ * (pairs ? 2 : 1));
    if (pairs) value = word_at(value);
    return select(vector_ < vectors_, value, Internal::make_zero(value.type()));
}

Expr RowProduct::x_word(const Expr &row) const {
    return word(terms_.x_storage, [&](const Expr &k) { return terms_.x(k, min(row, terms_.rows - 1)); });
}

Expr RowProduct::w_word(const Expr &column) const {
    return word(terms_.w_storage,
                [&](const Expr &k) { return terms_.w(k, min(column, terms_.columns - 1), part_); });
}

Expr RowProduct::initial(const Expr &column, const Expr &starts) const {
    if (!terms_.initial) return 0.f;
    return select(starts, terms_.initial(min(column, terms_.columns - 1), part_), 0.f);
}

// Neighbouring threads take neighbouring vectors, then come the steps of a slice, then the other slices.
Expr RowProduct::vector_at(const RDom &k, const Expr &step, const Expr &across) const {
    return ((k.z * plan_.slices + slice_) * plan_.steps + step) * plan_.vectors_across() + across;
}

Expr RowProduct::sum(const Expr &column, const Expr &row, int part, std::vector<Expr> outer) const {
    if (outer.empty()) outer = at({});
    Expr total;
    for (int slice = 0; slice < plan_.slices; slice++)
        for (int lane = 0; lane < (plan_.mma() ? 1 : plan_.lanes); lane++) {
            std::vector<Expr> place =
                plan_.mma() ? place_of_fragment(column, row) : std::vector<Expr>{lane, column, row};
            place.insert(place.end(), {part, slice});
            place.insert(place.end(), outer.begin(), outer.end());
            Expr one = partial_(place);
            total = total.defined() ? total + one : one;
        }
    return total;
}

// Passes over the same weights are neighbours in the grid.
void RowProduct::schedule(Func out) const {
    Var n = out.args()[0], m = out.args()[1], block("block"), column("in_block"), pass("pass"),
        row("in_pass"), some("some"), thread("thread"), both("both");
    int threads = std::min(plan_.threads(), plan_.rows * plan_.block_columns());
    auto order = [&](Loops loops) {
        for (const Var &v : terms_.outer) loops.push_back(v);
        out.reorder(loops);
    };
    out.split(n, block, column, plan_.block_columns(), TailStrategy::GuardWithIf)
        .split(m, pass, row, plan_.rows, TailStrategy::GuardWithIf);
    order({column, row, pass, block});
    out.fuse(column, row, both).split(both, some, thread, threads, TailStrategy::GuardWithIf);
    order({some, thread, pass, block});
    out.gpu_threads(thread).gpu_blocks(pass, block).never_partition_all();
    for (const Var &v : terms_.outer) out.gpu_blocks(v);
    schedule_product(LoopLevel(out, pass));
}

// No two loops over rows change places: to Halide an update may depend on their order.
void RowProduct::schedule_update(Func out, const Var &n, const RVar &m, const RVar &outer) const {
    Var block("block"), column("in_block");
    RVar pass("pass"), row("in_pass"), some("some"), thread("thread"), both("both"), passes("passes"),
        blocks("blocks");
    int results = plan_.rows * plan_.block_columns(), threads = std::min(plan_.threads(), results);
    out.update()
        .allow_race_conditions() // results are whole: nothing is added to what another thread wrote
        .split(n, block, column, plan_.block_columns(), TailStrategy::GuardWithIf)
        .split(m, pass, row, plan_.rows, TailStrategy::GuardWithIf)
        .reorder(column, row, pass, block, outer)
        .fuse(column, row, both)
        .split(both, thread, some, (results + threads - 1) / threads, TailStrategy::GuardWithIf)
        .fuse(pass, block, passes)
        .fuse(passes, outer, blocks)
        .gpu_threads(thread)
        .gpu_blocks(blocks)
        .never_partition_all();
    schedule_product(LoopLevel(out, blocks));
}

void RowProduct::schedule_product(const LoopLevel &at) const {
    Func partial = partial_;
    partial.compute_at(at).store_in(MemoryType::GPUShared).never_partition_all();
    if (plan_.mma())
        schedule_mma();
    else
        schedule_fma();
}

// `inner`: loops over what a thread holds, inside those over K; `steps`: over the steps of a round, where
// they have sums of their own.
void RowProduct::schedule_rounds(const Loops &inner, const Loops &steps) const {
    Func sums = sums_;
    sums.store_in(MemoryType::Register).never_partition_all();
    for (const Loops &loops : {inner, steps})
        for (const VarOrRVar &v : loops) sums.unroll(v);
    for (size_t i = 0; i < rounds_.size(); i++) {
        const Rounds &r = rounds_[i];
        RVar round("round"), unrolled("unrolled");
        Stage update = sums.update(static_cast<int>(i));
        update.split(r.k.z, round, unrolled, r.unroll);
        Loops order = inner;
        order.insert(order.end(), {RVar(r.k.x), RVar(r.k.y)});
        order.insert(order.end(), steps.begin(), steps.end());
        VarOrRVar step = order.back();
        order.push_back(unrolled);
        for (const VarOrRVar &v : order) update.unroll(v);
        order.push_back(round);
        update.reorder(order).never_partition_all();
        for (const auto &[f, storage] :
             {std::pair(r.x, terms_.x_storage), std::pair(r.w, terms_.w_storage)}) {
            int count = words(storage), access = std::min(count, words_of_access);
            Var quad("quad"), lane("lane_of_vector");
            Func vectors = f;
            vectors.compute_at(LoopLevel(sums, step)).store_in(MemoryType::Register).never_partition_all();
            for (const Var &v : f.args())
                for (const VarOrRVar &of_thread : inner)
                    if (v.name() == of_thread.name()) vectors.unroll(v);
            if (count == 1) continue;
            vectors.bound(word_, 0, count).split(word_, quad, lane, access).vectorize(lane).unroll(quad);
        }
    }
}

void RowProduct::finish(Kernel &kernel) const {
    kernel.passes.push_back(std::make_shared<WordsPass>());
    kernel.passes.push_back(std::make_shared<AlignedPass>());
    for (const auto &[name, expansion] : row_mma_expansions()) kernel.device.expansions[name] = expansion;
    int threads = plan_.threads(), blocks = plan_.blocks;
    kernel.device.edits.push_back(
        [=](const std::string &ptx) { return ptx::with_launch_bounds(ptx, threads, blocks); });
    if (int bytes = plan_.prefetch)
        kernel.device.edits.push_back([=](const std::string &ptx) { return ptx::with_prefetch(ptx, bytes); });
}

} // namespace ks::tile
