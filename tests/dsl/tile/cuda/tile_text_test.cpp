// SPDX-License-Identifier: Apache-2.0
// The text of tile kernels, what their launches bring, and what ptxas makes of them.
#include "dsl/ptx/ptxas.h"
#include "dsl/tile/cuda/mma.h"
#include "dsl/tile/cuda/operands.h"
#include "dsl/tile/cuda/wgmma.h"
#include "examples.h"
#include "refusal.h"
#include <gmock/gmock.h>
#include <regex>

namespace ks::tile {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

int count(const std::string &text, const std::string &what) {
    int n = 0;
    for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at++) n++;
    return n;
}

TileOp with(const std::function<void(TileOp &)> &change) {
    TileOp op;
    op.order.resident = 132;
    change(op);
    return op;
}

TileOp gated() {
    return with([](TileOp &op) {
        op.products = 2;
        op.gathered = true;
        op.producer_registers = 56;
        op.consumer_registers = 224;
    });
}

TEST(TileText, HoldsTheInstructionsOfTheTile) {
    std::string made =
        Example({512, 512, 1472}, with([](TileOp &op) { op.columns = 128, op.slabs = 2; })).text();
    EXPECT_THAT(ptx::undefined_calls(made), ElementsAre());
    EXPECT_THAT(made, Not(HasSubstr(".extern .func")));
    EXPECT_EQ(count(made, "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16"), 4 * 2);
    EXPECT_EQ(count(made, "cp.async.bulk.tensor.2d.shared::cluster"), 2); // A and W
    EXPECT_EQ(count(made, "cp.async.bulk.tensor.2d.global"), 2 * 2);      // blocks of 64 x 64 of a warpgroup
    EXPECT_EQ(count(made, "st.shared.b32"), 2 * 128 / 4);                 // pairs of a thread
    EXPECT_THAT(made, HasSubstr(".version 8.0\n.target sm_90a\n"));
    EXPECT_THAT(made, HasSubstr("\n.maxntid 384, 1, 1\n.minnctapersm 1"));
    EXPECT_EQ(count(made, ".param .align 64 .b8 ks_map_"), 3);
    EXPECT_EQ(count(made, "mbarrier.init.shared::cta.b64"), 2 * 4);
    EXPECT_EQ(count(made, "st.global"), 0);
}

TEST(TileText, OneTypeOfOperandReplacesTheOther) {
    std::string made = Example({256, 256, 128}, with([](TileOp &op) { op.storage = Storage::f16; })).text();
    EXPECT_EQ(count(made, "k16.f32.f16.f16"), 4);
    EXPECT_EQ(count(made, "bf16"), 0);
    EXPECT_THAT(made, HasSubstr("cvt.rn.f16x2.f32"));
}

// The kernel no longer loads A and W or stores its output, and yet they must be its arguments.
TEST(TileText, TensorMapsKnowTheirBuffers) {
    Example example({300, 256, 100, 104}, with([](TileOp &) {}));
    Halide::Module module = lower_to_module(example.kernel(), "kernel", kernel_target("cuda"));
    cuda::TileLaunch launch = tile_launch(ptx::ptx_of(module), example.op);
    ASSERT_EQ(launch.maps, 3u);
    std::ostringstream host;
    host << module.functions()[0].body;
    std::smatch buffers; // the arguments that the host passes, in order
    std::string text = host.str();
    ASSERT_TRUE(std::regex_search(text, buffers,
                                  std::regex("\\(\\(void \\*\\)([\\w$]+)\\.buffer, \\(void "
                                             "\\*\\)([\\w$]+)\\.buffer, \\(void \\*\\)([\\w$]+)\\.buffer")));
    auto name = [&](int map) { return buffers[1 + launch.map[map].argument].str(); };
    EXPECT_EQ(name(0), "a");
    EXPECT_EQ(name(1), "w");
    EXPECT_EQ(name(2), example.matmul.out.name());
    EXPECT_EQ(launch.map[0].columns, 100u); // not the stride: what follows is not part of the sum
    EXPECT_EQ(launch.map[0].box_rows, 128u);
    EXPECT_EQ(launch.map[1].columns, 100u);
    EXPECT_EQ(launch.map[1].box_rows, 256u);
    EXPECT_EQ(launch.map[2].columns, 0u);
    EXPECT_EQ(launch.map[2].box_rows, 64u);
    EXPECT_EQ(launch.shared_bytes, 2 * 1024u + 4 * (128 + 256) * 128 + 4 * 8192);
    EXPECT_THAT(text, HasSubstr(", 384, 1, 1, 0, "));
}

TEST(TileText, GatheredRowsAreCopiedByTheirAddress) {
    std::string made = Example({300, 128, 1472}, gated()).text();
    EXPECT_EQ(count(made, ".param .align 64 .b8 ks_map_"), 2); // W and the output
    EXPECT_EQ(count(made, "cp.async.cg.shared.global"), 128 / 16);
    EXPECT_EQ(count(made, ", 16, %bytes;"), 0);
    std::string ragged = Example({300, 128, 100, 104}, gated()).text();
    EXPECT_EQ(count(ragged, ", 16, %bytes;"), 128 / 16);
}

TEST(TileText, ParametersAreFollowedBack) {
    const std::string ptx =
        "\n\tld.param.b64 \t%rd2, [k_param_3];\n\tcvta.to.global.u64 \t%rd1, %rd2;\n"
        "\tld.global.nc.b16 \t%rs1, [%rd1];\n\tcvt.u32.u16 \t%r1, %rs1;\n\tmov.u32 \t%r9, %tid.x;\n";
    EXPECT_EQ(parameter_behind(ptx, "%r1"), 3);
    EXPECT_THAT(refusal([&] { parameter_behind(ptx, "%r9"); }), HasSubstr("%tid"));
    EXPECT_THAT(refusal([&] { parameter_behind(ptx, "%r7"); }), HasSubstr("nothing sets %r7"));
    EXPECT_THAT(refusal([&] { parameter_behind(ptx, "7"); }), HasSubstr("does not come from a parameter"));
}

TEST(TileText, OnlyTensorizedKernelsBecomeOne) {
    Example plain({256, 256, 128}, with([](TileOp &op) { op.staged_store = false; }));
    EXPECT_THAT(refusal([&] {
                    Halide::Module module =
                        lower_to_module(plain.kernel(false), "kernel", kernel_target("cuda"));
                    tile_launch(ptx::ptx_of(module), plain.op);
                }),
                HasSubstr("has not seen this kernel"));
    EXPECT_THAT(refusal([&] { wgmma::with_entry(".version 7.0\n.target sm_80\n", plain.op); }),
                HasSubstr("without .visible .entry"));
    std::string one = ".version 7.0\n.target sm_80\n.visible .entry k()\n{\n}\n";
    EXPECT_THAT(wgmma::with_entry(one, plain.op), HasSubstr("k(\n\t.param .align 64 .b8 ks_map_a[128]\n"));
    EXPECT_THAT(refusal([&] { wgmma::with_entry(one + ".visible .entry l()\n{\n}\n", plain.op); }),
                HasSubstr("beside others"));
    EXPECT_THAT(refusal([] {
                    number({"ks_tile_stage", {"%r4"}, ""}, 0);
                }),
                HasSubstr("ks_tile_stage is called with %r4"));
}

TileOp without_producers(const std::function<void(TileOp &)> &change) {
    TileOp op;
    op.unit = Unit::mma;
    op.staged_store = false;
    op.producer_threads = op.producer_registers = op.consumer_registers = 0;
    op.columns = 128;
    op.stages = 3;
    op.order = {8, 0};
    change(op);
    return op;
}

TEST(TileText, MmaIsTheSameTileWithoutProducers) {
    std::string made = Example({300, 200, 100, 104}, without_producers([](TileOp &) {})).text();
    EXPECT_EQ(count(made, "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32"), 4 * 128 / 8);
    EXPECT_EQ(count(made, "ldmatrix.sync.aligned.m8n8.x4"), 4 * (1 + 128 / 16));
    EXPECT_EQ(count(made, "cp.async.cg.shared.global"), 3 * (128 + 128) / 32); // twice ahead and in the loop
    EXPECT_THAT(made, HasSubstr(".target sm_80"));
    EXPECT_THAT(made, HasSubstr(".maxntid 256, 1, 1"));
    EXPECT_THAT(made, Not(HasSubstr("wgmma")));
    EXPECT_THAT(made, Not(HasSubstr("ks_map")));
    EXPECT_THAT(ptx::undefined_calls(made), ElementsAre());
}

TEST(TileText, PtxasTakesMmaForEveryArchitecture) {
    auto ptxas = ptx::Ptxas::find();
    if (!ptxas) GTEST_SKIP() << "there is no ptxas on this machine";
    TileOp fused = without_producers([](TileOp &op) { op.products = 2, op.gathered = true; });
    TileOp half = without_producers([](TileOp &op) { op.storage = Storage::f16; });
    TileOp tall =
        without_producers([](TileOp &op) { op.warpgroups = 1, op.slabs = 2, op.order.resident = 132; });
    for (const auto &[shape, op] :
         std::vector<std::pair<Shape, TileOp>>{{{300, 200, 100, 104}, fused},
                                               {{333, 200, 1472, 0, true}, half},
                                               {{1024, 200, 1472, 0, false, 5}, tall}}) {
        std::string text = Example(shape, op).text();
        for (const std::string &arch : ptx::build_for({}, *ptxas).archs) {
            ptx::Resources used = ptxas->assemble(text, {arch}).kernels.at(0);
            EXPECT_EQ(used.stack + used.spill_stores + used.spill_loads, 0) << arch << " " << used.registers;
        }
    }
}

struct Variant {
    const char *name;
    Shape shape;
    TileOp op;
};

// Shapes of the models (width 1472, expert width 3872 and 7744, fused projections) and the edges: K of no
// whole step, ragged rows and columns, a symbolic number of rows.
std::vector<Variant> variants() {
    TileOp decode = with([](TileOp &op) {
        op.warpgroups = 1;
        op.columns = 64;
        op.stages = 8;
        op.producer_threads = 32;
        op.producer_registers = op.consumer_registers = 0;
        op.order = {1, 0};
    });
    auto columns = [](int n) { return with([n](TileOp &op) { op.columns = n; }); };
    auto direct = with([](TileOp &op) { op.columns = 192, op.staged_store = false; });
    auto quads = with([](TileOp &op) { op.columns = 192, op.staged_store = false, op.quad_store = true; });
    auto slabs = with([](TileOp &op) { op.columns = 128, op.slabs = 2, op.order.group = 0; });
    auto half = with([](TileOp &op) { op.columns = 192, op.storage = Storage::f16; });
    auto in_order = [] {
        TileOp op = gated();
        op.gathered = false;
        return op;
    }();
    return {{"4096", {4096, 4096, 4096}, columns(256)},
            {"in_proj", {2048, 5888, 1472}, columns(192)},
            {"expert", {16384, 7744, 1472}, columns(192)},
            {"out_proj", {2048, 1472, 2944}, columns(192)},
            {"decode", {64, 7744, 1472}, decode},
            {"symbolic", {1000, 7744, 1472, 0, true}, slabs},
            {"K 100", {200, 136, 100, 104}, columns(192)},
            {"K 92", {200, 136, 92, 96}, columns(256)},
            {"f16", {300, 320, 1472}, half},
            {"direct", {333, 200, 1472}, direct},
            {"quads", {333, 200, 1472}, quads},
            {"quads symbolic", {1000, 7744, 1472, 0, true}, quads},
            {"gated", {2048, 3872, 1472}, gated()},
            {"gated K 100", {300, 200, 100, 104}, gated()},
            {"gated symbolic", {2048, 3872, 1472, 0, true}, gated()},
            {"experts", {2048, 3872, 1472, 0, false, 8}, in_order},
            {"gathered experts", {2048, 3872, 1472, 0, false, 8}, gated()}};
}

TEST(TileText, PtxasTakesEveryVariantWithoutLocalMemory) {
    auto ptxas = ptx::Ptxas::find();
    if (!ptxas || !ptxas->knows(wgmma::arch))
        GTEST_SKIP() << "no ptxas on this machine knows " << wgmma::arch;
    for (const Variant &v : variants()) {
        SCOPED_TRACE(v.name);
        ptx::Resources used = ptxas->assemble(Example(v.shape, v.op).text(), {wgmma::arch}).kernels.at(0);
        EXPECT_EQ(used.stack + used.spill_stores + used.spill_loads, 0);
        EXPECT_LE(used.registers * v.op.threads(), registers_of_multiprocessor);
    }
}

} // namespace
} // namespace ks::tile
