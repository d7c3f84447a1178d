// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/tile_matmul.h"
#include "dsl/lowering_pass.h"
#include "dsl/tile/cuda/calls.h"
#include "runtime/base/error.h"

namespace ks::tile {
using namespace Halide;

int TileMatmul::product_of(const std::string &name) const {
    for (size_t i = 0; i < products.size(); i++) {
        const std::string &product = products[i].name();
        if (name == product || name.rfind(product + ".", 0) == 0) return static_cast<int>(i);
    }
    return -1;
}

int row_stride(const Parameter &buffer) {
    Expr stride = buffer.dimensions() > 1 ? buffer.stride_constraint(1) : Expr();
    auto known = stride.defined() ? Internal::as_const_int(stride) : std::nullopt;
    if (!known) throw Error("tile operand " + buffer.name(), "the stride of its rows is not a constant");
    return static_cast<int>(*known);
}

Expr pack_pair(Storage s, const Expr &first, const Expr &second) {
    if (s == Storage::f32) throw Error("a pair of results", "f32 is not packed");
    return pseudo_call(UInt(32), s == Storage::bf16 ? calls::pack_bf16 : calls::pack_f16, {first, second});
}

} // namespace ks::tile
