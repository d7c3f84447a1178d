// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "bench/calls/call.h"
#include "bench/calls/product.h"
#include "bench/operands.h"

namespace ks::bench {

// Experts as a checkpoint has them, f32: up [E, 2F, H] (gate rows, then up rows), down [E, H, F].
struct ExpertWeights {
    int64_t E, H, F;
    AlignedBytes up, down;

    ExpertWeights(int64_t E, int64_t H, int64_t F);
    const float *up_of(int64_t e) const { return up.floats() + e * 2 * F * H; }
    const float *down_of(int64_t e) const { return down.floats() + e * F * H; }
};

// SwiGLU experts on T tokens that are routed already: token t goes to expert t mod E.
struct ExpertsCall {
    int64_t T, E, H, F;
    AlignedBytes x, scale, y;           // [T, H], [T], [T, padded H]
    std::vector<std::vector<int>> rows; // tokens of every expert
    std::vector<model::PackedMatrix> up_weights, down_weights;

    ExpertsCall(const ks_library &library, const ExpertWeights &weights, int64_t tokens, DType dtype);

    void run(const ks_library &library); // all experts: gather, up, down
    void gather(const ks_library &library, size_t expert);
    void up(const ks_library &library, size_t expert);   // of the rows last gathered
    void down(const ks_library &library, size_t expert); // of what `up` left
    Work up_work(size_t expert) const;
    Work down_work(size_t expert) const;

  private:
    std::vector<std::vector<float>> scales_; // of every expert's rows
    AlignedBytes gathered_, hidden_;         // f32, or bf16 where the weights come in pairs
};

} // namespace ks::bench
