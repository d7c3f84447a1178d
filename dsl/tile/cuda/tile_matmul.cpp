// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/tile_matmul.h"
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

Expr row_stride(const Parameter &buffer) {
    Expr stride = buffer.dimensions() > 1 ? buffer.stride_constraint(1) : Expr();
    if (!stride.defined())
        throw Error("tile operand " + buffer.name(), "the stride of its rows is not known");
    stride = Internal::simplify(stride);
    if (Internal::is_const(stride)) return stride;
    Expr extent = buffer.extent_constraint(0);
    if (!extent.defined() || !Internal::equal(Internal::simplify(extent), stride))
        throw Error("tile operand " + buffer.name(), "its rows are not known to have no gaps");
    return stride;
}

} // namespace ks::tile
