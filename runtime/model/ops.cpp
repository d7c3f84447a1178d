// SPDX-License-Identifier: Apache-2.0
#include "runtime/model/ops.h"
#include "runtime/base/error.h"

namespace ks::model {

void check(ks_status status) {
    if (status != KS_OK) throw Error(ks_last_error());
}

void linear(const ks_library &library, const PackedMatrix &w, const AlignedBytes &bias, int64_t M, Rows x, Rows y) {
    auto a = arguments<ks_linear_args>();
    a.M = M;
    a.K = w.K;
    a.P = w.panels;
    a.panel = w.panel_choice;
    a.weight = w.weight_choice;
    a.x = x.data;
    a.x_stride = x.stride;
    a.w = w.data.data();
    a.bias = bias.size() ? bias.floats() : nullptr;
    a.y = y.data;
    a.y_stride = y.stride;
    check(ks_linear(&library, &a));
}

} // namespace ks::model
