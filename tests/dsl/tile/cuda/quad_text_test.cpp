// SPDX-License-Identifier: Apache-2.0
// Kernels whose results leave by quads: their instructions, what they read at the edge of the output, which
// schedules and operands are refused.
#include "examples.h"
#include "refusal.h"
#include <gmock/gmock.h>
#include <regex>

namespace ks::tile {
namespace {

using testing::HasSubstr;

TileOp quads(const std::function<void(TileOp &)> &change = [](TileOp &) {}) {
    TileOp op;
    op.columns = 128, op.staged_store = false, op.quad_store = true, op.order = {0, 0};
    change(op);
    return op;
}

int count(const std::string &text, const std::string &what) {
    int n = 0;
    for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at++) n++;
    return n;
}

void expect_stores(const std::string &text, int stores) {
    EXPECT_EQ(count(text, "st.global.v4.b32"), stores);
    EXPECT_EQ(count(text, "st.global"), stores);
    EXPECT_EQ(count(text, "shfl.sync.bfly"), 4 * stores);
    EXPECT_EQ(count(text, "ks_map_out"), 0);
}

TEST(QuadText, StoresSixteenBytesOfAThread) {
    expect_stores(Example({256, 256, 128}, quads()).text(), 2 * 128 / 32);
    expect_stores(Example({250, 200, 128}, quads()).text(), 2 * 128 / 32);
    expect_stores(Example({300, 384, 128}, quads([](TileOp &op) { op.columns = 96, op.slabs = 2; })).text(),
                  2 * 2 * 96 / 32);
    expect_stores(Example({256, 128, 1472}, quads([](TileOp &op) { op.products = 2; })).text(), 2 * 64 / 32);
}

// Every load, but of the kept operands and the sums, and whether its index is chosen.
std::vector<bool> chosen_loads(const Shape &shape) {
    class Read : public LoweringPass {
      public:
        std::vector<bool> chosen;
        void verify() const override {}

      private:
        using IRMutator::visit;
        Halide::Expr visit(const Halide::Internal::Load *l) override {
            const auto *r = l->index.as<Halide::Internal::Ramp>();
            const Halide::Expr &index = r ? r->base : l->index;
            if (l->name == "bias" || l->name == "gate" || l->name == "residual")
                chosen.push_back(index.as<Halide::Internal::Select>() != nullptr);
            return IRMutator::visit(l);
        }
    };
    Kernel kernel = Example(shape, quads()).kernel();
    auto read = std::make_shared<Read>();
    kernel.passes.push_back(read);
    lower_to_module(kernel, "kernel", kernel_target("cuda"));
    return read->chosen;
}

TEST(QuadText, OverTheEdgeNothingIsRead) {
    Shape whole{256, 256, 128}, rows{200, 256, 128}, columns{256, 136, 128};
    whole.epilogue = rows.epilogue = columns.epilogue = true;
    std::vector<bool> free = chosen_loads(whole), of_rows = chosen_loads(rows),
                      of_columns = chosen_loads(columns);
    EXPECT_EQ(free.size(), 3u * 2 * 16);
    EXPECT_EQ(std::count(free.begin(), free.end(), true), 0);
    EXPECT_EQ(std::count(of_rows.begin(), of_rows.end(), false), 0);
    // The first group of columns is there in every tile, and with it all that is of its row.
    auto unconditional = std::count(of_columns.begin(), of_columns.end(), false);
    EXPECT_EQ(of_columns.size(), 3u * 2 * 16);
    EXPECT_EQ(unconditional, 2 * 16 + 2 * 2);
}

TEST(QuadText, OutputsMustBeginAtMultiplesOfSixteenBytes) {
    EXPECT_THAT(refusal([] {
                    Example({256, 132, 128}, quads()).text();
                }),
                HasSubstr("its rows do not begin at multiples of 16 bytes"));
    Example odd({256, 256, 128}, quads());
    odd.matmul.out.output_buffer().set_host_alignment(8);
    EXPECT_THAT(refusal([&] { odd.text(); }), HasSubstr("does not begin at a multiple of 16 bytes"));
}

// A schedule for other threads, and one that computes what quads would have to wait for.
TEST(QuadText, SchedulesOfOtherTilesAreRefused) {
    auto with = [](const std::function<void(TileOp &)> &of_pass) {
        return refusal([&] {
            Example example({256, 256, 128}, quads());
            tile_schedule(example.matmul, example.op);
            of_pass(example.op);
            test::device_text(example.scheduled());
        });
    };
    EXPECT_EQ(with([](TileOp &) {}), "no error");
    EXPECT_THAT(with([](TileOp &op) { op.columns = 96; }), HasSubstr("tensor cores"));
    EXPECT_THAT(with([](TileOp &op) { op.columns = 160; }), HasSubstr("computes 64 elements of its 80"));
    Example shared({256, 256, 128}, quads());
    shared.shape.shared_bias = shared.shape.epilogue = true;
    EXPECT_THAT(refusal([&] { Example(shared.shape, quads()).text(); }), HasSubstr("stands beside"));
}

} // namespace
} // namespace ks::tile
