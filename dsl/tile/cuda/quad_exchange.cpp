// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/quad_exchange.h"
#include "dsl/tile/cuda/fragment.h"
#include "dsl/tile/cuda/operands.h"

namespace ks::tile {

namespace {

// Lanes with this bit of their number give their lower word of the two for the upper one of their partner.
void exchange(Code &code, int bit, int lower, int upper) {
    code("selp.b32 %give, %word", lower, ", %word", upper, ", %has", bit, ";");
    code("shfl.sync.bfly.b32 %take, %give, ", bit, ", 31, 0xffffffff;");
    code("selp.b32 %word", lower, ", %take, %word", lower, ", %has", bit, ";");
    code("selp.b32 %word", upper, ", %word", upper, ", %take, %has", bit, ";");
}

} // namespace

// The words' matrix is transposed as blocks of 2 x 2 first, then as one of them.
void store_quad(Code &code, const ptx::PseudoCall &call) {
    constexpr int result_bytes = 2;
    code(".reg .pred %has1, %has2, %due;");
    code(".reg .b32 %lane, %give, %take, %word<", lanes_of_row, ">;");
    code(".reg .b64 %at;");
    code("mov.u32 %lane, %tid.x;");
    for (int bit : {1, 2}) {
        code("and.b32 %give, %lane, ", bit, ";");
        code("setp.ne.b32 %has", bit, ", %give, 0;");
    }
    for (int i = 0; i < lanes_of_row; i++)
        code("mov.b32 %word", i, ", ", call.arguments.at(static_cast<size_t>(3 + i)), ";");
    exchange(code, 1, 0, 1);
    exchange(code, 1, 2, 3);
    exchange(code, 2, 0, 2);
    exchange(code, 2, 1, 3);
    code("mov.b32 %lane, ", call.arguments.at(0), ";");
    code("mul.wide.s32 %at, %lane, ", result_bytes, ";");
    code("add.s64 %at, %at, %ks_out;");
    code("mov.b32 %give, ", call.arguments.at(2), ";");
    code("setp.ne.b32 %due, %give, 0;");
    code("@%due st.global.v4.b32 [%at+", number(call, 1) * result_bytes,
         "], {%word0, %word1, %word2, %word3};");
}

} // namespace ks::tile
