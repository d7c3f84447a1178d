// SPDX-License-Identifier: Apache-2.0
// Matrix products of the graph, and their activations: as they are, or gathered and rounded into a buffer.
#include "runtime/model/pass.h"

namespace ks::model {

Activations Model::activations(const PackedMatrix &w, int64_t tokens, Rows x, const int32_t *rows) {
    Buffers &b = *buffers_;
    bool in_order = rows == b.identity || tokens == 1;
    if (in_order && !w.pairs) return {reinterpret_cast<const std::byte *>(x.data), x.stride, sizeof(float)};
    auto a = arguments<ks_gather_rows_args>();
    a.io = w.pairs ? KS_GATHER_ROWS_IO_BF16 : KS_GATHER_ROWS_IO_F32;
    a.T = tokens;
    a.R = tokens;
    a.K = w.K;
    a.x = x.data;
    a.x_stride = x.stride;
    a.rows = rows;
    a.y = b.taken.data;
    a.y_stride = b.taken.stride;
    check(ks_gather_rows(library_.get(), &a));
    return {reinterpret_cast<const std::byte *>(b.taken.data), b.taken.stride, w.pairs ? 2 : 4};
}

void Model::linear(const PackedMatrix &w, const AlignedBytes &bias, int64_t M, Rows x, Rows y) {
    Activations in = activations(w, M, x, buffers_->identity);
    auto a = arguments<ks_linear_args>();
    a.M = M;
    a.K = w.K;
    a.P = w.panels;
    a.io = w.pairs ? KS_LINEAR_IO_BF16 : KS_LINEAR_IO_F32;
    a.panel = w.panel_choice;
    a.weight = w.weight_choice;
    a.x = in.data;
    a.x_stride = in.stride;
    a.w = w.data.data();
    a.bias = bias.size() ? bias.floats() : nullptr;
    a.y = y.data;
    a.y_stride = y.stride;
    check(ks_linear(library_.get(), &a));
}

} // namespace ks::model
