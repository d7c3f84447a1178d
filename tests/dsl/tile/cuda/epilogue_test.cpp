// SPDX-License-Identifier: Apache-2.0
// Code after the sums that reads memory of its own: at the edge of the output, and in Halide's shared memory.
#include "dsl/tile/cuda/edges.h"
#include "dsl/tile/cuda/shared_layout.h"
#include "examples.h"
#include "refusal.h"
#include <gmock/gmock.h>
#include <regex>

namespace ks::tile {
namespace {

using testing::HasSubstr;

// The code of the kernel as the passes before it leave it.
class Read : public LoweringPass {
  public:
    using IRMutator::mutate;
    Halide::Internal::Stmt mutate(const Halide::Internal::Stmt &s) override {
        std::ostringstream out;
        out << s;
        if (out.str().size() > text.size()) text = out.str();
        return s;
    }
    void verify() const override {}
    std::string text;
};

std::string lowered(const Shape &shape, int columns = 128) {
    TileOp op;
    op.columns = columns;
    op.order = {0, 0};
    Example example(shape, op);
    Kernel kernel = example.kernel();
    auto read = std::make_shared<Read>();
    kernel.passes.push_back(read);
    lower_to_module(kernel, "kernel", kernel_target("cuda"));
    return read->text;
}

Shape with_epilogue(int M, int N) {
    Shape shape{M, N, 128};
    shape.epilogue = true;
    return shape;
}

std::vector<std::string> loads_of(const std::string &code, const std::string &buffer) {
    std::vector<std::string> found;
    std::regex load("\\b" + buffer + "\\[(?:ramp\\()?(select\\(\\()?");
    for (std::sregex_iterator at(code.begin(), code.end(), load), end; at != end; ++at)
        found.push_back((*at)[1]);
    return found;
}

TEST(TileEpilogue, WholeTilesReadFreely) {
    std::string code = lowered(with_epilogue(256, 256));
    for (const char *buffer : {"residual", "bias", "gate"})
        for (const std::string &select : loads_of(code, buffer)) EXPECT_EQ(select, "");
}

TEST(TileEpilogue, OverTheEdgeNothingIsRead) {
    std::string code = lowered(with_epilogue(250, 136));
    for (const char *buffer : {"residual", "bias", "gate"}) {
        auto loads = loads_of(code, buffer);
        EXPECT_GE(loads.size(), 32u) << buffer; // pairs of a thread: each where it is used
        for (const std::string &select : loads) EXPECT_EQ(select, "select((") << buffer;
    }
}

TEST(TileEpilogue, OnlyTheRaggedSideIsAskedFor) {
    TileOp op;
    op.columns = 128;
    Halide::Expr asked = Halide::Internal::Variable::make(Halide::Int(32), "asked"), nobody;
    auto extent = [&](const Shape &shape) {
        return output_extent(Example(shape, op).matmul, op, asked, nobody);
    };
    EXPECT_TRUE(extent({256, 256, 128}).exact());
    EXPECT_TRUE(Halide::Internal::is_const(extent({256, 136, 128}).columns, 136));
    EXPECT_FALSE(extent({256, 136, 128}).rows.defined());
    EXPECT_TRUE(Halide::Internal::is_const(extent({250, 256, 128}).rows, 250));
    EXPECT_FALSE(extent({250, 256, 128}).columns.defined());
    Shape symbolic = with_epilogue(256, 256);
    symbolic.symbolic_rows = true;
    EXPECT_TRUE(extent(symbolic).rows.same_as(asked));
    EXPECT_NE(lowered(symbolic).find("< ks_tile_output_rows"), std::string::npos);
}

// Every element of every thread, against where the fragment puts it.
TEST(TileEpilogue, InsideIsWhereTheOutputHasTheElement) {
    using namespace Halide::Internal;
    TileOp op;
    op.columns = 64;
    op.slabs = 2;
    OutputOrigin origin{0, 0, 64, 0}; // second column tile
    for (int t : {0, 3, 4, 31, 32, 127, 128, 255})
        for (int row : {0, 8, 64, 72})
            for (int column : {0, 8, 56}) {
                Place first = first_place(op, t);
                bool due = 256 + first.row + row < 300 && 64 + first.column + column < 80;
                Halide::Expr is = inside({300, 80}, origin, 256, t, op, {row, column});
                EXPECT_TRUE(is_const(simplify(is), due)) << t << " " << row << " " << column;
            }
}

// Halide's own begins behind the ring and the store buffers instead of at address 0.
TEST(TileEpilogue, HalidesSharedMemoryLiesBehindOurs) {
    TileOp op;
    op.columns = 128;
    Shape shape = with_epilogue(250, 136);
    shape.shared_bias = true;
    Example example(shape, op);
    std::string ptx = example.text();
    std::smatch access;
    int accesses = 0;
    std::string base = "add.u32 %r\\d+, %ks_base, " + std::to_string(SharedLayout(op).halide) + ";";
    EXPECT_TRUE(std::regex_search(ptx, std::regex(base)));
    std::regex literal("(?:ld|st)\\.shared\\.[a-z0-9.]+\\s+(?:%\\w+, )?\\[(\\d+)\\]");
    EXPECT_FALSE(std::regex_search(ptx, access, literal)) << access[0];
    for (size_t at = 0; (at = ptx.find("ld.shared.b32", at)) != std::string::npos; at++) accesses++;
    EXPECT_EQ(accesses, 64);                                      // one for each element of a thread
    EXPECT_THAT(ptx, HasSubstr("bar.sync 15, 256;"));             // the consumers' own barrier
    EXPECT_EQ(ptx.find("bar.sync 0;"), ptx.rfind("bar.sync 0;")); // and one of all, at the start
}

} // namespace
} // namespace ks::tile
