// SPDX-License-Identifier: Apache-2.0
// A checkpoint's tensors, found by the names of its family, checked against the configuration and packed.
#pragma once
#include "runtime/io/checkpoint.h"
#include "runtime/model/config.h"
#include "runtime/model/packed.h"

namespace ks::model {

struct MixerWeights {
    PackedMatrix in_proj, x_proj, dt_proj, out_proj;
    AlignedBytes in_bias, out_bias;      // empty where the model has none
    AlignedBytes conv_weight, conv_bias; // [W][Di], [Di]
    AlignedBytes decay, skip, dt_bias;   // [N][Di] (see pack_decay), [Di], [Di]
};

struct Expert {
    PackedMatrix up, down;
};

struct MlpWeights {
    PackedMatrix router; // f32: the argmax decides between experts; not used by a dense MLP
    AlignedBytes router_bias;
    std::vector<Expert> experts;
};

struct LayerWeights {
    AlignedBytes norm, mlp_norm; // mlp_norm: of the second branch of a parallel layer
    MixerWeights mixer;
    MlpWeights mlp;
};

struct Weights {
    AlignedBytes embedding_copy;          // when the checkpoint's own memory cannot be used
    const std::byte *embedding = nullptr; // [vocab][hidden]
    DType embedding_dtype = DType::f32;
    std::vector<LayerWeights> layers;
    AlignedBytes final_weight, final_bias; // bias: LayerNorm only
    PackedMatrix head;
};

// Storage of the matrices is `dtype`; vectors and the router are f32. The checkpoint must outlive the result.
// Throws ks::Error naming the tensor that is missing or has another shape than the configuration says.
Weights load_weights(const ks_library &library, const io::Checkpoint &checkpoint, const Config &config,
                     DType dtype);

} // namespace ks::model
