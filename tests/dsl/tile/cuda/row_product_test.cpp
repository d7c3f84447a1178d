// SPDX-License-Identifier: Apache-2.0
// The text of row products and what ptxas makes of them. Their results are checked on a device, as those of
// every op.
#include "dsl/ptx/cuda_kernel.h"
#include "dsl/tile/cuda/row_product.h"
#include "refusal.h"
#include "tests/support/device_text.h"
#include <gmock/gmock.h>
#include <regex>

namespace ks::tile {
namespace {

using namespace Halide;
using testing::HasSubstr;

struct Shape {
    int M, N, K, parts = 1;
    bool experts = false; // the weights of a tile of rows are those of its expert
    bool known = true;    // whether the kernel knows K and the strides
};

RowPlan plan(const std::function<void(RowPlan &)> &change = [](RowPlan &) {}) {
    RowPlan p;
    change(p);
    return p;
}

RowPlan fma(const std::function<void(RowPlan &)> &change = [](RowPlan &) {}) {
    return plan([&](RowPlan &p) {
        p.unit = RowUnit::fma;
        p.rows = 1, p.columns = 2, p.groups = 8, p.slices = 1, p.steps = 1;
        change(p);
    });
}

// y = sum, or the product of two of them.
Kernel product(const Shape &s, const RowPlan &plan, Storage x_storage, Storage w_storage) {
    ImageParam x(buffer_type(x_storage), 2, "x"), w(buffer_type(w_storage), 2, "w"),
        bias(Float(32), 1, "bias"), experts(Int(32), 1, "experts");
    for (ImageParam p : {x, w}) {
        if (s.known)
            p.dim(0).set_bounds(0, s.K), p.dim(1).set_stride(s.K);
        else
            p.dim(0).set_min(0);
        p.dim(1).set_min(0);
    }
    bias.dim(0).set_min(0);
    Var n("n"), m("m"), tile("tile");
    RowProduct::Terms t;
    t.K = s.known ? Expr(s.K) : x.dim(0).extent();
    t.rows = s.experts ? Expr(s.M) : x.dim(1).extent();
    t.columns = s.N;
    t.x_storage = x_storage, t.w_storage = w_storage, t.parts = s.parts;
    t.initial = [=](const Expr &column, const Expr &part) { return bias(column + part * s.N); };
    t.x = [=](const Expr &k, const Expr &row) { return x(k, s.experts ? row + tile * s.M : row); };
    t.w = [=](const Expr &k, const Expr &column, const Expr &part) {
        Expr first = s.experts ? unsafe_promise_clamped(experts(tile), 0, 7) * (s.parts * s.N) : Expr(0);
        return w(k, first + part * s.N + column);
    };
    if (s.experts) t.outer = {tile};
    RowProduct made(t, plan, "product");
    Func y("y");
    std::vector<Var> at = {n, m};
    if (s.experts) at.push_back(tile);
    y(at) = s.parts == 2 ? made.sum(n, m, 0) * made.sum(n, m, 1) : made.sum(n, m);
    y.output_buffer().dim(0).set_bounds(0, s.N);
    y.output_buffer().dim(1).set_min(0);
    if (s.experts) y.output_buffer().dim(1).set_extent(s.M), y.output_buffer().dim(2).set_min(0);
    made.schedule(y);
    Kernel kernel{{y}, {x, w, bias}, {}};
    if (s.experts) kernel.arguments.push_back(experts);
    made.finish(kernel);
    return kernel;
}

std::string text(const Shape &s, const RowPlan &plan, Storage x, Storage w) {
    return test::device_text(product(s, plan, x, w));
}

int count(const std::string &text, const std::string &pattern) {
    std::regex r(pattern);
    return static_cast<int>(std::distance(std::sregex_iterator(text.begin(), text.end(), r), {}));
}

const char *const wide_load = "ld\\.global\\.nc\\.(v4\\.[bf]32|v2\\.b64)";
const char *const narrow_load = "ld\\.global\\.nc\\.(b16|[bf]32|v2\\.b32)";

// 46 times 32 elements are 5.75 rounds of 8 slices: four, then two, without a loop.
TEST(RowProduct, MmaLoadsSixteenBytesStraightIntoFragments) {
    std::string made = text({8, 5888, 1472}, plan(), Storage::bf16, Storage::bf16);
    EXPECT_EQ(count(made, wide_load), 6 * 3); // two rows of weights and one of x
    EXPECT_EQ(count(made, narrow_load), 2);   // the initial values of two rows
    EXPECT_EQ(count(made, "mma\\.sync\\.aligned\\.m16n8k16\\.row\\.col\\.f32\\.bf16"), 6 * 2);
    EXPECT_EQ(count(made, "\\.local"), 0);
    EXPECT_EQ(count(made, "bar\\.sync"), 1);
    EXPECT_THAT(made, HasSubstr(".maxntid 256, 1, 1\n.minnctapersm 2"));
    EXPECT_EQ(count(made, "ld\\.global\\.nc\\.L2"), 0);
    std::string ahead =
        text({8, 5888, 1472}, plan([](RowPlan &p) { p.prefetch = 128; }), Storage::bf16, Storage::bf16);
    EXPECT_EQ(count(ahead, "ld\\.global\\.nc\\.L2::128B\\.(v4\\.[bf]32|v2\\.b64)"), 6 * 3);
    EXPECT_THAT(ahead, HasSubstr(".version 7.4\n"));
    std::string half = text({8, 5888, 1472}, plan(), Storage::f16, Storage::f16);
    EXPECT_EQ(count(half, "mma\\.sync\\.aligned\\.m16n8k16\\.row\\.col\\.f32\\.f16"), 6 * 2);
}

// Sums of several steps do not wait for each other: the first instruction of each has a start of its own.
TEST(RowProduct, StepsHaveSumsOfTheirOwn) {
    auto steps = [](int n) { return plan([n](RowPlan &p) { p.steps = n; }); };
    auto starts = [](const std::string &made) { return count(made, "mov\\.b64 %rd\\d+, \\{%low, %low\\}"); };
    EXPECT_EQ(starts(text({8, 5888, 1472}, steps(1), Storage::bf16, Storage::bf16)), 1);
    std::string two = text({8, 5888, 1472}, steps(2), Storage::bf16, Storage::bf16);
    EXPECT_EQ(starts(two), 2);
    EXPECT_EQ(count(two, "mma\\.sync"), 6 * 2); // three rounds of two
}

// 8 rows of x are a fragment, so 16 rows load their weights as often as 8.
TEST(RowProduct, RowsShareTheWeights) {
    auto rows = [](int n) { return plan([n](RowPlan &p) { p.rows = n; }); };
    std::string made = text({16, 5888, 1472}, rows(16), Storage::bf16, Storage::bf16);
    EXPECT_EQ(count(made, wide_load), 6 * 4);
    EXPECT_EQ(count(made, "mma\\.sync"), 6 * 2 * 2);
}

TEST(RowProduct, FmaLoadsSixteenBytesOfEveryStorage) {
    // 1472 are 5.75 vectors of 8 for each of 32 lanes
    std::string made =
        text({1, 5888, 1472}, fma([](RowPlan &p) { p.unroll = 6; }), Storage::bf16, Storage::bf16);
    EXPECT_EQ(count(made, wide_load), 6 * (2 + 1));
    EXPECT_EQ(count(made, "fma\\.rn\\.f32"), 6 * 8 * 2);
    EXPECT_EQ(count(made, "\\.local"), 0);
    std::string mixed =
        text({1, 5888, 1472}, fma([](RowPlan &p) { p.unroll = 6; }), Storage::f32, Storage::bf16);
    EXPECT_EQ(count(mixed, wide_load), 6 * (2 + 2));
    std::string wide = text({1, 5888, 1472}, fma([](RowPlan &p) { p.vector = 4, p.unroll = 12; }),
                            Storage::f32, Storage::f32);
    EXPECT_EQ(count(wide, wide_load), 12 * (2 + 1));
}

// Rounds beyond the unrolled ones: a loop, and the rest without one.
TEST(RowProduct, LongSumsLoop) {
    std::string made =
        text({1, 1472, 3872}, fma([](RowPlan &p) { p.unroll = 4; }), Storage::bf16, Storage::bf16);
    EXPECT_EQ(count(made, wide_load), (4 + 4) * 3); // 15.125 rounds: three times 4, then 4
}

struct Variant {
    const char *name;
    Shape shape;
    RowPlan plan;
    Storage x, w;
};

std::vector<Variant> variants() {
    constexpr Storage f32 = Storage::f32, bf16 = Storage::bf16, f16 = Storage::f16;
    RowPlan any = fma([](RowPlan &p) { p.vector = 1; });
    return {
        {"decode", {1, 5888, 1472}, plan(), bf16, bf16},
        {"few columns", {8, 188, 2944}, plan([](RowPlan &p) { p.slices = 16; }), bf16, bf16},
        {"K 92", {8, 2944, 92}, plan([](RowPlan &p) { p.vector = 4, p.slices = 2; }), f16, f16},
        {"16 rows", {64, 4608, 1152}, plan([](RowPlan &p) { p.rows = 16; }), bf16, bf16},
        {"gate and up", {8, 3872, 1472, 2}, plan(), bf16, bf16},
        {"experts", {8, 3872, 1472, 2, true}, plan(), bf16, bf16},
        {"experts fma", {4, 1472, 3872, 1, true}, fma([](RowPlan &p) { p.rows = 4; }), f32, bf16},
        {"head", {1, 50304, 1472}, fma(), bf16, bf16},
        {"f16", {1, 5888, 1472}, fma(), f32, f16},
        {"lanes", {3, 200, 1472}, fma([](RowPlan &p) { p.lanes = 8, p.slices = 4, p.rows = 2; }), bf16, bf16},
        {"any K", {5, 37, 0, 1, false, false}, any, bf16, f16},
        {"any K f32", {5, 37, 0, 1, false, false}, any, f32, f32}};
}

TEST(RowProduct, PtxasTakesEveryVariantWithoutLocalMemory) {
    auto ptxas = ptx::Ptxas::find();
    if (!ptxas) GTEST_SKIP() << "there is no ptxas on this machine";
    for (const Variant &v : variants()) {
        std::string made = text(v.shape, v.plan, v.x, v.w);
        for (const std::string &arch : ptx::build_for({}, *ptxas).archs) {
            SCOPED_TRACE(v.name + (" " + arch));
            ptx::Resources used = ptxas->assemble(made, {arch}).kernels.at(0);
            EXPECT_EQ(used.stack + used.spill_stores + used.spill_loads, 0) << used.registers;
        }
    }
}

TEST(RowProduct, RefusesPlansThatCannotBe) {
    auto cause = [](const RowPlan &p, Storage x, Storage w, int K) {
        return refusal([&] { check(p, x, w, K); });
    };
    constexpr Storage f32 = Storage::f32, bf16 = Storage::bf16;
    EXPECT_NO_THROW(check(plan(), bf16, bf16, 1472));
    EXPECT_THAT(cause(plan(), f32, bf16, 1472), HasSubstr("two operands of the same 16 bits"));
    EXPECT_THAT(cause(plan(), bf16, bf16, 92), HasSubstr("K is not a multiple"));
    EXPECT_THAT(cause(plan([](RowPlan &p) { p.rows = 4; }), bf16, bf16, 1472), HasSubstr("multiple of 8"));
    EXPECT_THAT(cause(plan([](RowPlan &p) { p.vector = 2; }), bf16, bf16, 1472), HasSubstr("4 or 8"));
    EXPECT_THAT(cause(fma([](RowPlan &p) { p.vector = 8; }), f32, f32, 1472), HasSubstr("not one access"));
    EXPECT_THAT(cause(fma([](RowPlan &p) { p.lanes = 12; }), f32, bf16, 1472),
                HasSubstr("no part of a warp"));
    EXPECT_THAT(cause(plan([](RowPlan &p) { p.slices = 64; }), bf16, bf16, 1472), HasSubstr("1024 threads"));
    EXPECT_THAT(cause(plan([](RowPlan &p) { p.blocks = 9; }), bf16, bf16, 1472), HasSubstr("2048 threads"));
    EXPECT_THAT(cause(fma([](RowPlan &p) { p.rows = 64; }), bf16, bf16, 1472),
                HasSubstr("147456 bytes of shared"));
    EXPECT_THAT(cause(plan([](RowPlan &p) { p.prefetch = 32; }), bf16, bf16, 1472),
                HasSubstr("256 bytes ahead"));
    EXPECT_THAT(cause(plan([](RowPlan &p) { p.unroll = 0; }), bf16, bf16, 1472), HasSubstr("not positive"));
}

} // namespace
} // namespace ks::tile
