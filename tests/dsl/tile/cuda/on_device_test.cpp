// SPDX-License-Identifier: Apache-2.0
// A schedule with tensor cores and the same schedule without them, on a GPU: both against sums in double
// precision, and against each other.
#include "autotune/device.h"
#include "dsl/ptx/cuda_kernel.h"
#include "dsl/ptx/program.h"
#include "examples.h"
#include "tests/oracles/rounding.h"
#include <cmath>
#include <gtest/gtest.h>
#include <random>

namespace ks::tile {
namespace {

using Words = std::vector<uint16_t>; // bf16 as it is stored

double value(uint16_t word) {
    uint32_t bits = static_cast<uint32_t>(word) << 16;
    float f;
    std::memcpy(&f, &bits, sizeof f);
    return static_cast<double>(f);
}

Words random_words(int count, unsigned seed) {
    std::mt19937 engine(seed);
    std::normal_distribution<float> normal;
    Words words;
    for (int i = 0; i < count; i++) {
        auto f = static_cast<float>(oracle::to_bf16(static_cast<double>(normal(engine))));
        uint32_t bits;
        std::memcpy(&bits, &f, sizeof bits);
        words.push_back(static_cast<uint16_t>(bits >> 16));
    }
    return words;
}

TileOp direct(const std::function<void(TileOp &)> &change) {
    TileOp op;
    op.columns = 64, op.staged_store = false, op.warpgroups = 1;
    op.producer_threads = 32, op.producer_registers = op.consumer_registers = 0;
    change(op);
    return op;
}

struct Case {
    const char *name;
    Shape shape; // no epilogue, one product or a gate and a factor
    TileOp op;
};

std::vector<Case> cases() {
    TileOp staged; // whole tiles: without tensor maps nothing clips
    staged.columns = 128;
    TileOp persistent = staged, gated = staged;
    persistent.order = {4, 2};
    gated.products = 2;
    auto mma = [](TileOp &op) { op.unit = Unit::mma, op.producer_threads = 0, op.stages = 3; };
    auto quads = [](TileOp &op) { op.quad_store = true; };
    return {{"staged", {256, 256, 136}, staged},
            {"persistent", {512, 256, 1472}, persistent},
            {"gated", {256, 128, 192}, gated},
            {"direct, ragged", {200, 104, 520}, direct([](TileOp &) {})},
            {"split", {100, 124, 2944}, direct([](TileOp &op) {
                 op.splits = 4, op.order = {1, 0};
             })},
            {"mma, ragged", {200, 200, 200}, direct(mma)},
            {"quads, ragged", {200, 104, 520}, direct(quads)},
            {"quads, gated", {200, 136, 192}, direct([=](TileOp &op) {
                 quads(op), op.columns = 128, op.products = 2;
             })},
            {"quads, split", {100, 248, 2944}, direct([=](TileOp &op) {
                 quads(op), op.columns = 256, op.splits = 4, op.order = {1, 0};
             })},
            {"quads, mma, ragged", {200, 200, 200}, direct([=](TileOp &op) { quads(op), mma(op); })}};
}

class TilesOnDevice : public testing::TestWithParam<size_t> {
  protected:
    void SetUp() override {
        ptxas_ = ptx::Ptxas::find();
        if (!ptxas_) GTEST_SKIP() << "there is no ptxas on this machine";
    }
    static tune::Device &device() { return tune::device_for("cuda"); }

    std::string library(const Case &c, bool tensor_cores) {
        std::string file = folder_.path(tensor_cores ? "tensor" : "plain");
        Kernel kernel = Example(c.shape, c.op, gate()).kernel(tensor_cores);
        ptx::compile_cuda(kernel, tune::artefact_symbol, *ptxas_, ptx::build_for(kernel.device, *ptxas_),
                          file + ".o");
        auto linked = ptx::run_program({KS_CXX, "-shared", "-o", file + ".so", file + ".o"});
        EXPECT_EQ(linked.status, 0) << linked.output;
        return file + ".so";
    }
    // y = gate / 2 * up, of the examples with two products.
    static Example::Activation gate() {
        return [](const Halide::Expr &x) { return x * 0.5f; };
    }

    // y, which held NaN before, and has no other neighbours than before.
    Words run(const Case &c, const Words &a, const Words &w, const std::string &library) {
        const Shape &s = c.shape;
        auto kernel = device().load(library);
        Words y(static_cast<size_t>(s.M * s.N), 0x7fff);
        Operand operands[] = {{a, s.K}, {w, s.K}, {y, s.N}};
        void *arguments[] = {&operands[0].buffer, &operands[1].buffer, &operands[2].buffer};
        kernel->run(arguments);
        device().wait();
        for (const Operand &o : operands) EXPECT_EQ(o.memory->damage(), "");
        operands[2].memory->read(0, y.data(), y.size() * sizeof y[0]);
        return y;
    }

    struct Operand {
        KernelDim dims[2];
        KernelBuffer buffer;
        std::unique_ptr<tune::Memory> memory;
        Operand(const Words &words, int width)
            : dims{{0, width, 1, 0}, {0, static_cast<int>(words.size()) / width, width, 0}},
              buffer{0, nullptr, nullptr, 0, {kernel_uint, 16, 1}, 2, dims, nullptr},
              memory(device().memory(words.size() * sizeof words[0], true)) {
            memory->write(0, words.data(), words.size() * sizeof words[0]);
            memory->place(buffer, 0);
        }
        Operand(const Operand &) = delete;
    };

    std::optional<ptx::Ptxas> ptxas_;
    ptx::ScratchFolder folder_;
};

double product(const Shape &s, const Words &a, const Words &w, int row, int column) {
    double sum = 0;
    for (int k = 0; k < s.K; k++)
        sum += value(a[static_cast<size_t>(row * s.K + k)]) * value(w[static_cast<size_t>(column * s.K + k)]);
    return sum;
}

TEST_P(TilesOnDevice, TensorCoresGiveWhatTheScheduleGivesWithoutThem) {
    const Case c = cases()[GetParam()];
    SCOPED_TRACE(c.name);
    const Shape &s = c.shape;
    Words a = random_words(s.M * s.K, 1), w = random_words(c.op.products * s.N * s.K, 2);
    std::string with = library(c, true), without = library(c, false);
    if (!device().runs("cuda")) GTEST_SKIP() << "there is no GPU on this machine";
    Words tensor = run(c, a, w, with), plain = run(c, a, w, without);
    EXPECT_EQ(tensor, run(c, a, w, with)) << "repeats give the same bits";
    // bf16 keeps 8 bits; sums of K products in f32 are off by far less.
    const double scale = std::sqrt(s.K) * (c.op.products == 2 ? std::sqrt(s.K) : 1), rounding = 1.0 / 256;
    for (int row = 0; row < s.M; row++)
        for (int column = 0; column < s.N; column++) {
            double wanted = product(s, a, w, row, column) * 0.5;
            if (c.op.products == 2) wanted *= product(s, a, w, row, s.N + column);
            auto at = static_cast<size_t>(row * s.N + column);
            double allowed = std::fabs(wanted) * rounding + scale * 1e-5;
            ASSERT_NEAR(value(tensor[at]), wanted, allowed) << row << ", " << column;
            ASSERT_NEAR(value(plain[at]), wanted, allowed) << row << ", " << column;
        }
}

INSTANTIATE_TEST_SUITE_P(Cases, TilesOnDevice, testing::Range<size_t>(0, cases().size()));

} // namespace
} // namespace ks::tile
