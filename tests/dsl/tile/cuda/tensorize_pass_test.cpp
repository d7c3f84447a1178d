// SPDX-License-Identifier: Apache-2.0
// Schedules and algorithms that are almost a tile operation: every one is refused and told why. A schedule
// that the pass took by mistake would give wrong numbers.
#include "dsl/tile/cuda/tensorize_pass.h"
#include "examples.h"
#include "refusal.h"
#include <gmock/gmock.h>

namespace ks::tile {
namespace {

using namespace Halide;
using testing::HasSubstr;

TileOp small_op() {
    TileOp op;
    op.K = 128;
    op.columns = 64;
    op.order = {0, 0};
    return op;
}

// One product, each of its parts open to change.
struct Parts {
    int K = 128, rows = 256, columns = 128, stride = 128;
    TileOp op = small_op();  // of the pass ...
    TileOp schedule_op = op; // ... and of the schedule
    Var n{"n"}, row{"row"};
    Func product{"product"}, y{"y"};
    ImageParam a{UInt(16), 2, "a"}, w{UInt(16), 2, "w"};
    RDom k{0, 128, "k"};
    Expr start = 0.f;
    std::function<Expr(Expr, Expr, Expr)> add = [](const Expr &acc, const Expr &x, const Expr &v) {
        return acc + x * v;
    };
    std::function<Expr(Expr)> read = [this](const Expr &e) { return widen(op.storage, e); };
    std::function<Expr()> of_a = [this] { return Expr(a(k, row)); };
    std::function<Expr()> of_w = [this] { return Expr(w(k, n)); };
    std::function<Expr()> row_of_result = [this] { return Expr(row); };
    std::function<void()> also = [] {};  // to the algorithm
    std::function<void()> after = [] {}; // to the schedule

    TileMatmul matmul() { return {y, {product}, a, w, {}, {}}; }

    void algorithm() {
        product(n, row) = start;
        product(n, row) = add(product(n, row), read(of_a()), read(of_w()));
        also();
        y(n, row) = PackPass::narrow(Storage::bf16, product(n, row_of_result()));
        a.dim(0).set_bounds(0, K);
        a.dim(1).set_min(0).set_stride(stride);
        w.dim(0).set_bounds(0, K);
        w.dim(1).set_bounds(0, columns).set_stride(stride);
        y.output_buffer().dim(0).set_bounds(0, columns);
        y.output_buffer().dim(1).set_bounds(0, rows).set_stride(columns);
    }

    std::string lower() {
        algorithm();
        return refusal([&] {
            tile_schedule(matmul(), schedule_op);
            after();
            lower_to_module(
                {{y}, {a, w}, {std::make_shared<PackPass>(), std::make_shared<TensorizePass>(matmul(), op)}},
                "kernel", kernel_target("cuda"));
        });
    }
};

std::string why(const std::function<void(Parts &)> &change) {
    Parts parts;
    change(parts);
    return parts.lower();
}

TEST(TensorizePass, TakesTheTileOperation) {
    EXPECT_EQ(why([](Parts &) {}), "no error");
    EXPECT_EQ(why([](Parts &p) { p.add = [](Expr acc, Expr x, Expr v) { return acc + v * x; }; }),
              "no error");
}

TEST(TensorizePass, OnlySumsOfPlainProducts) {
    const char *cause = "is no sum of products of one element of each operand";
    EXPECT_THAT(why([](Parts &p) { p.add = [](Expr acc, Expr x, Expr v) { return acc + 2.f * (x * v); }; }),
                HasSubstr(cause));
    EXPECT_THAT(why([](Parts &p) { p.add = [](Expr acc, Expr x, Expr v) { return acc - x * v; }; }),
                HasSubstr(cause));
    EXPECT_THAT(why([](Parts &p) { p.add = [](Expr acc, Expr x, Expr v) { return max(acc, x * v); }; }),
                HasSubstr(cause));
    EXPECT_THAT(why([](Parts &p) { p.of_w = [&p] { return Expr(p.a(p.k, p.n)); }; }), HasSubstr(cause));
    EXPECT_THAT(why([](Parts &p) { p.read = [](Expr e) { return widen(Storage::f16, e); }; }),
                HasSubstr(cause));
}

TEST(TensorizePass, SumsBeginAtZeroAndRunOverAllOfK) {
    EXPECT_THAT(why([](Parts &p) { p.start = 1.f; }), HasSubstr("does not sum once, from zero"));
    EXPECT_THAT(why([](Parts &p) {
                    p.also = [&p] {
                        p.product(p.n, p.row) +=
                            widen(Storage::bf16, p.a(p.k, p.row)) * widen(Storage::bf16, p.w(p.k, p.n));
                    };
                    p.after = [&p] { p.product.update(1).unroll(p.n).never_partition_all(); };
                }),
                HasSubstr("does not sum once, from zero"));
    EXPECT_THAT(why([](Parts &p) { p.k = RDom(0, 120, "k"); }), HasSubstr("does not run over [0, K = 128)"));
    EXPECT_THAT(why([](Parts &p) { p.k = RDom(1, 127, "k"); }), HasSubstr("does not run over [0, K = 128)"));
    EXPECT_THAT(why([](Parts &p) { p.op.K = 64; }), HasSubstr("does not run over [0, K = 64)"));
    EXPECT_THAT(why([](Parts &p) { p.k.where(p.k % 2 == 0); }), HasSubstr("its sum is conditional"));
    EXPECT_THAT(why([](Parts &p) { p.k.where(p.k <= p.row); }), HasSubstr("does not run over [0, K = 128)"));
}

TEST(TensorizePass, OperandsAreContiguousInK) {
    EXPECT_THAT(why([](Parts &p) { p.of_a = [&p] { return Expr(p.a(p.k / 2, p.row)); }; }),
                HasSubstr("a is not read at row * 128 + k"));
    EXPECT_THAT(why([](Parts &p) { p.of_w = [&p] { return Expr(p.w(127 - p.k, p.n)); }; }),
                HasSubstr("w is not read at row * 128 + k"));
    EXPECT_THAT(why([](Parts &p) { p.of_a = [&p] { return Expr(p.a(p.row % 128, p.k)); }; }),
                HasSubstr("a is not read at row * 128 + k"));
    EXPECT_THAT(why([](Parts &p) { p.stride = 132; }),
                HasSubstr("a: its rows do not begin at multiples of 16 bytes"));
    Parts open;
    EXPECT_THAT(refusal([&] { row_stride(open.a.parameter()); }),
                HasSubstr("a: the stride of its rows is not known"));
}

TEST(TensorizePass, ThreadsSitWhereTheTensorCoresPutThem) {
    EXPECT_THAT(why([](Parts &p) { p.schedule_op.warpgroups = 1; }),
                HasSubstr("not the 256 threads of the tile"));
    EXPECT_THAT(
        why([](Parts &p) { p.schedule_op.warpgroups = 1, p.schedule_op.slabs = 2, p.op.warpgroups = 1; }),
        HasSubstr("is not that thread's in the tensor cores"));
    EXPECT_THAT(why([](Parts &p) { p.op.columns = 128; }), HasSubstr("computes 32 elements of its 64"));
    EXPECT_THAT(why([](Parts &p) { p.of_w = [&p] { return Expr(p.w(p.k, p.columns - 1 - p.n)); }; }),
                HasSubstr("tensor cores"));
    EXPECT_THAT(why([](Parts &p) { p.of_a = [&p] { return Expr(p.a(p.k, p.row / 2)); }; }),
                HasSubstr("tensor cores"));
    EXPECT_THAT(why([](Parts &p) { p.of_a = [&p] { return Expr(p.a(p.k, p.row * p.row)); }; }),
                HasSubstr("is not constant"));
}

// Lanes before rows: legal, and not the fragment.
TEST(TensorizePass, AnotherSplitNamesTheFirstThreadThatIsElsewhere) {
    Parts p;
    p.product(p.n, p.row) = 0.f;
    p.product(p.n, p.row) += widen(Storage::bf16, p.a(p.k, p.row)) * widen(Storage::bf16, p.w(p.k, p.n));
    p.y(p.n, p.row) = PackPass::narrow(Storage::bf16, p.product(p.n, p.row));
    p.a.dim(0).set_bounds(0, 128);
    p.a.dim(1).set_min(0).set_stride(128);
    p.w.dim(0).set_bounds(0, 128);
    p.w.dim(1).set_bounds(0, 128).set_stride(128);
    p.y.output_buffer().dim(0).set_bounds(0, 128);
    p.y.output_buffer().dim(1).set_bounds(0, 256).set_stride(128);
    Var column, pair, in_pair, group, lane, tile_row, row, warp, half, row_of_half, in_warp, thread, tile;
    p.y.split(p.n, pair, in_pair, 2)
        .vectorize(in_pair)
        .split(pair, column, pair, 32)
        .split(pair, group, lane, 4)
        .split(p.row, tile_row, row, 128);
    p.y.split(row, warp, in_warp, 16).split(in_warp, half, row_of_half, 8);
    p.y.fuse(row_of_half, lane, in_warp).fuse(in_warp, warp, thread); // the fragment has the lane inside
    p.y.reorder(in_pair, half, group, thread, column, tile_row).fuse(column, tile_row, tile);
    p.y.gpu_blocks(tile).gpu_threads(thread).unroll(half).unroll(group).never_partition_all();
    p.product.compute_at(p.y, half).store_in(MemoryType::Register).unroll(p.n).update().unroll(p.n);
    std::string said = refusal([&] {
        lower_to_module({{p.y},
                         {p.a, p.w},
                         {std::make_shared<PackPass>(), std::make_shared<TensorizePass>(p.matmul(), p.op)}},
                        "kernel", kernel_target("cuda"));
    });
    EXPECT_THAT(said, HasSubstr("thread 1 begins at (1, 0) of the tile, the tensor cores put (0, 2) there"));
}

TEST(TensorizePass, ResultsLeaveWhereTheyAreComputed) {
    const char *elsewhere = "not stored at the row of A and the column of the product";
    EXPECT_THAT(why([](Parts &p) { p.row_of_result = [&p] { return p.row + 8; }; }), HasSubstr(elsewhere));
    EXPECT_THAT(why([](Parts &p) { p.of_w = [&p] { return Expr(p.w(p.k, p.n + 2)); }; }),
                HasSubstr(elsewhere));
    EXPECT_THAT(why([](Parts &p) { p.row_of_result = [&p] { return p.rows - 1 - p.row; }; }),
                HasSubstr("tensor cores"));
    EXPECT_THAT(why([](Parts &p) { p.columns = 6; }),
                HasSubstr("its rows do not begin at multiples of 16 bytes"));
}

TEST(TensorizePass, StagedStoresAreUnconditionalAndBlockAfterBlock) {
    EXPECT_THAT(why([](Parts &p) { p.rows = 250, p.schedule_op.staged_store = false; }),
                HasSubstr("is under a condition"));
    EXPECT_THAT(why([](Parts &p) {
                    p.op.columns = p.schedule_op.columns = 128;
                    p.after = [&p] {
                        p.y.reorder(Var("group"), Var("half"));
                        p.product.compute_at(p.y, Var("group"));
                    };
                }),
                HasSubstr("leaves a block of 64 columns before all of it is stored"));
}

TEST(TensorizePass, OneKernelMustHoldTheTile) {
    Parts p;
    p.algorithm();
    EXPECT_THAT(refusal([&] { TensorizePass(p.matmul(), p.op).verify(); }),
                HasSubstr("no GPU loop over threads computes it"));
    TileOp wide = p.op;
    wide.columns = 264;
    EXPECT_THAT(refusal([&] { TensorizePass(p.matmul(), wide); }), HasSubstr("264 columns"));
}

TEST(TileSchedule, TheAlgorithmMustBeTheTiles) {
    EXPECT_THAT(why([](Parts &p) { p.schedule_op.products = 2, p.schedule_op.columns = 128; }),
                HasSubstr("another number of products"));
    EXPECT_THAT(why([](Parts &p) { p.schedule_op.gathered = true; }),
                HasSubstr("rows are gathered in only one"));
    Example gathered({256, 128, 128}, [] {
        TileOp op = small_op();
        op.gathered = true;
        return op;
    }());
    EXPECT_EQ(refusal([&] { gathered.text(); }), "no error");
}

} // namespace
} // namespace ks::tile
