// SPDX-License-Identifier: Apache-2.0
// Every intermediate of a forward pass, in one arena planned at load: a pass allocates nothing.
#pragma once
#include "runtime/base/aligned.h"
#include "runtime/model/config.h"
#include "runtime/model/ops.h"
#include "runtime/model/weights.h"

namespace ks::model {

struct Buffers {
    Buffers(const Config &config, const Weights &weights, int64_t tokens, int64_t logit_rows);

    int64_t tokens, logit_rows; // capacity
    Rows hidden, residual, normed, branch;
    Rows xz, conv, projected, dt, scanned; // mixer
    Rows taken;                            // activations of the next product, gathered or rounded
    Rows router_logits, inside;            // MLP; inside holds bf16 where products take it
    Rows logits;
    float *gate, *scale;
    int32_t *ids, *index, *counts, *offsets, *permutation, *identity;
    int64_t *seq_start;
    size_t bytes() const { return arena_.size(); }

  private:
    AlignedBytes arena_;
};

} // namespace ks::model
