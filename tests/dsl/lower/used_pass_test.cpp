// SPDX-License-Identifier: Apache-2.0
// Conditions that hold in every block of a grid, and those that do not.
#include "dsl/lower/used_pass.h"
#include <gtest/gtest.h>

namespace ks {
namespace {
using namespace Halide;
using namespace Halide::Internal;

const Expr block = Variable::make(Int(32), "y.block_id_x"), width = Variable::make(Int(32), "width");

// Whether the condition is still asked in a grid of so many blocks, let-bound or in place.
bool asked(const Expr &condition, const Expr &blocks, bool bound) {
    Expr one = bound ? Variable::make(Bool(), "used") : condition;
    Stmt work = Evaluate::make(Call::make(Int(32), "work", {}, Call::Extern));
    Stmt body = IfThenElse::make(one, work);
    if (bound) body = LetStmt::make("used", condition, body);
    Stmt grid =
        For::make("y.block_id_x", 0, blocks, ForType::GPUBlock, Partition::Auto, DeviceAPI::CUDA, body);
    UsedPass pass;
    Stmt made = simplify(pass.mutate(grid));
    struct FindIf : IRVisitor {
        using IRVisitor::visit;
        bool any = false;
        void visit(const IfThenElse *) override { any = true; }
    } find;
    made.accept(&find);
    return find.any;
}

TEST(UsedPass, ABlockOfTheGridHasItsFirstElement) {
    for (bool bound : {true, false}) {
        EXPECT_FALSE(asked(block * 16 + 1 <= width, (width + 15) / 16, bound));
        EXPECT_TRUE(asked(block * 16 + 2 <= width, (width + 15) / 16, bound)) << "of the last one only";
        EXPECT_TRUE(asked(block * 16 + 1 <= width, (width + 15) / 16 + 1, bound)) << "one too many";
        EXPECT_TRUE(asked(block * 16 >= width, (width + 15) / 16, bound)) << "grows with the block";
    }
}

} // namespace
} // namespace ks
