// SPDX-License-Identifier: Apache-2.0
// Picks the next token from logits: repeat penalty, then top-k, top-p, temperature, in llama.cpp's order.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/text/rng.h"

namespace ks::text {

struct SamplerOptions {
    float temperature = 0.8f;    // <= 0: greedy, the lowest id among equals
    int top_k = 40;              // <= 0: off
    float top_p = 0.95f;         // >= 1: off; always keeps at least one token
    float repeat_penalty = 1.0f; // 1: off; divides positive logits of recent tokens, multiplies the others
    int repeat_last_n = 64;      // how many recent tokens count; 0: none, -1: all that are given
    uint64_t seed = 0;
};

// One per sequence; not thread-safe. No allocation after construction.
class Sampler {
  public:
    // Ids >= `vocab` are never sampled. Throws ks::Error for vocab < 1, or options that are not numbers or
    // (the penalty) not positive.
    Sampler(const SamplerOptions &options, int vocab);

    // logits[0..vocab): a non-finite one is a ks::Error. `recent` has the oldest token first; ids in it that
    // are not in 0..vocab-1 are passed over. The same seed and calls give the same tokens: the generator is
    // exact, and only the last bit of the C library's exp is the platform's.
    int sample(const float *logits, const int *recent, size_t n_recent);

    // All that calls leave behind: with a copy of it another sampler goes on with the same tokens.
    Rng &generator() { return rng_; }

  private:
    struct Candidate {
        float logit;
        int id;
    };
    static bool better(const Candidate &a, const Candidate &b) {
        return a.logit != b.logit ? a.logit > b.logit : a.id < b.id; // a total order: one result everywhere
    }
    void load(const float *logits);
    void penalize(const int *recent, size_t n_recent);
    int greedy() const;
    size_t keep_top_k();
    size_t keep_top_p(size_t count, bool sorted);
    int draw(size_t count);

    SamplerOptions options_;
    Rng rng_;
    std::vector<Candidate> candidates_;
    std::vector<double> weights_;
    std::vector<uint32_t> seen_; // by id: the call that last penalised it
    uint32_t call_ = 0;
};

} // namespace ks::text
