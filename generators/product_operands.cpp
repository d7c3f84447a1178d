// SPDX-License-Identifier: Apache-2.0
#include "generators/product_operands.h"

namespace ks {
using namespace Halide;

namespace {
constexpr int row_alignment = 16; // bytes
}

Expr within(Reads reads, const Expr &i, const Expr &extent) {
    return reads == Reads::clamped ? min(i, extent - 1) : i;
}

void promise_no_gaps(OutputImageParam buffer, const std::vector<Expr> &extents) {
    buffer.set_host_alignment(row_alignment);
    Expr stride = 1;
    int dim = 0;
    for (const Expr &extent : extents) {
        buffer.dim(dim).set_bounds(0, extent);
        buffer.dim(dim).set_stride(stride);
        if (++dim == buffer.dimensions()) return;
        stride = Internal::simplify(stride * extent);
    }
    buffer.dim(dim).set_stride(stride);
}

} // namespace ks
