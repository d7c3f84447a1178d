// SPDX-License-Identifier: Apache-2.0
// Weights as the kernels want them, packed once at load.
#pragma once
#include "runtime/base/aligned.h"
#include "runtime/io/tensor.h"
#include "runtime/kernels/library.h"
#include <map>
#include <string>
#include <vector>

namespace ks::model {

// A matrix [N, K] (or several parts of N rows each, side by side in a panel: gate and up) in panels:
// data[p][k][part][lane] = W_part[p * lanes + lane][k], zero beyond N. For products of bf16 pairs:
// data[p][k / 2][part][lane][k % 2], the last of an odd K as [part][lane].
struct PackedMatrix {
    int64_t K = 0, N = 0, panels = 0;
    int lanes = 0, parts = 1, panel_choice = 0, weight_choice = 0;
    bool tuned = false, pairs = false; // pairs: the product takes bf16 activations
    AlignedBytes data;

    int64_t padded() const { return panels * lanes; } // row length of what it produces
};

// `op` is linear, expert_up or expert_down. The tensor is [parts * N, K]; rows of part 0 come first.
// `choices` are the op's other choices by name; without io among
// them, bf16 weights come in pairs where this CPU multiplies those: twice the rate of f32, for rounded
// activations. Throws ks::Error when the pack has no kernel.
PackedMatrix pack_matrix(const ks_library &library, const std::string &op,
                         std::map<std::string, std::string> choices, const io::Tensor &tensor, DType dtype,
                         int parts = 1);

// f32 vectors and matrices, padded with zeros to `padded` elements when that is larger.
AlignedBytes pack_floats(const io::Tensor &tensor, int64_t padded = 0);
AlignedBytes pack_floats(const std::vector<float> &values);

// [N][D] of -exp(A_log) * log2(e), from A_log [D, N]: the exponent of the decay for exp2.
AlignedBytes pack_decay(const std::vector<float> &a_log, int64_t D, int64_t N);
// The same from A [D, N] itself.
AlignedBytes pack_decay_of(const std::vector<float> &A, int64_t D, int64_t N);
// [cols][rows] from [rows][cols].
std::vector<float> transposed(const std::vector<float> &m, int64_t rows, int64_t cols);

} // namespace ks::model
