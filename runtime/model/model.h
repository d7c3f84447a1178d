// SPDX-License-Identifier: Apache-2.0
// A model ready to run: weights packed for this CPU, buffers planned, the graph of its layers.
#pragma once
#include "runtime/io/checkpoint.h"
#include "runtime/model/buffers.h"
#include "runtime/model/state.h"
#include "runtime/model/weights.h"
#include <memory>
#include <optional>

namespace ks::model {

struct LoadOptions {
    DType dtype = DType::f32; // storage of matrices: f32, bf16 or f16; activations and states are f32
    int threads = 0;          // 0: one per core
    std::string isa;          // "": the best of this CPU
    std::optional<Activation> activation; // of the experts; default: as the configuration says
    int64_t chunk = 512;                  // tokens of one pass at most: longer prompts run in pieces
};

// Which positions of a pass get logits.
enum class Logits { none, last, all };

// One pass over `sequences` neighbouring slots of a state, from `first` on. tokens: the new tokens of all,
// one sequence after the other; lengths: how many each has, at least one.
struct Batch {
    int first = 0, sequences = 1;
    const int *tokens = nullptr;
    const int *lengths = nullptr;
};

class Model {
  public:
    // Throws ks::Error: a folder that is no such model, a CPU without kernels, a token the model lacks.
    Model(const std::string &folder, const LoadOptions &options);

    const io::Checkpoint &checkpoint() const { return checkpoint_; }
    const Config &config() const { return config_; }
    const ks_library &library() const { return *library_; }
    int64_t chunk() const { return buffers_->tokens; }
    size_t weight_bytes() const;
    size_t arena_bytes() const { return buffers_->bytes(); }
    // Whether all big products run on kernels that were tuned for their widths.
    bool tuned() const;

    // Advances the state by the batch (at most chunk() tokens) and returns the logits asked for: rows of
    // config().vocab floats at logits_stride() in the arena, valid until the next pass. For Logits::all the
    // batch has at most logit_rows() tokens. Allocates nothing. One thread at a time.
    const float *forward(State &state, const Batch &batch, Logits wanted);
    int64_t logits_stride() const { return buffers_->logits.stride; }
    int64_t logit_rows() const { return buffers_->logit_rows; }

    // A prompt of any length for one slot, in pieces; logits of the last position.
    const float *prefill(State &state, int slot, const int *tokens, size_t count);

  private:
    struct Pass; // sizes of the pass that is running

    void read_tokens(Pass &pass, const State &state, const Batch &batch);
    void layer(const Pass &pass, State &state, size_t i);
    void norm(const Pass &pass, const AlignedBytes &weight, bool add);
    void mixer(const Pass &pass, State &state, size_t i, Rows out);
    // What carries a state: `step` when every sequence has one token, else `whole`; `fill` sets the arguments
    // that both have.
    template <typename Step, typename Whole, typename Fill>
    void advance(const Pass &pass, Fill fill, ks_status (*step)(const ks_library *, const Step *),
                 ks_status (*whole)(const ks_library *, const Whole *));
    void convolve(const Pass &pass, State &state, size_t i);
    void scan(const Pass &pass, State &state, size_t i);
    void mlp(const Pass &pass, size_t i, Rows out);
    // Listed rows of x as a product with `w` takes them; valid until the next call.
    Activations activations(const PackedMatrix &w, int64_t tokens, Rows x, const int32_t *rows);
    void linear(const PackedMatrix &w, const AlignedBytes &bias, int64_t M, Rows x, Rows y);
    void expert(const Pass &pass, const Expert &expert, int64_t count, Activations x, const int32_t *rows,
                const float *scale, Rows out);
    const float *head(const Pass &pass, Logits wanted);

    struct DestroyLibrary {
        void operator()(ks_library *l) const { ks_destroy(l); }
    };
    io::Checkpoint checkpoint_; // before weights_, which may borrow from it
    Config config_;
    std::unique_ptr<ks_library, DestroyLibrary> library_;
    Weights weights_;
    std::unique_ptr<Buffers> buffers_;
};

} // namespace ks::model
