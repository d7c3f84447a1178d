// SPDX-License-Identifier: Apache-2.0
// Sampling over a candidate list; sorted no further than the filters need.
#include "runtime/text/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "runtime/base/error.h"

namespace ks::text {

Sampler::Sampler(const SamplerOptions &options, int vocab) : options_(options), rng_(options.seed) {
    if (vocab < 1) throw Error("vocab", "is " + std::to_string(vocab) + ", must be at least 1");
    if (!std::isfinite(options.temperature)) throw Error("temperature", "must be a finite number");
    if (std::isnan(options.top_p)) throw Error("top_p", "must be a number");
    if (!std::isfinite(options.repeat_penalty) || options.repeat_penalty <= 0) {
        throw Error("repeat_penalty", "must be a finite number over 0");
    }
    if (options.repeat_last_n < -1) throw Error("repeat_last_n", "must be -1, 0 or a count");
    candidates_.resize(static_cast<size_t>(vocab));
    weights_.resize(candidates_.size());
    seen_.resize(candidates_.size());
}

void Sampler::load(const float *logits) {
    for (size_t i = 0; i < candidates_.size(); ++i) {
        if (!std::isfinite(logits[i])) {
            throw Error("logits",
                        "the value of token " + std::to_string(i) + " is " + std::to_string(logits[i]));
        }
        candidates_[i] = {logits[i], static_cast<int>(i)};
    }
}

void Sampler::penalize(const int *recent, size_t n_recent) {
    if (options_.repeat_penalty == 1.0f || options_.repeat_last_n == 0) return;
    const size_t count = options_.repeat_last_n < 0
                             ? n_recent
                             : std::min(n_recent, static_cast<size_t>(options_.repeat_last_n));
    if (++call_ == 0) { // wrapped: marks of old calls would look new
        std::fill(seen_.begin(), seen_.end(), 0);
        call_ = 1;
    }
    for (size_t i = n_recent - count; i < n_recent; ++i) {
        if (recent[i] < 0 || static_cast<size_t>(recent[i]) >= candidates_.size()) continue;
        const auto id = static_cast<size_t>(recent[i]);
        if (seen_[id] == call_) continue; // once, however often the token came
        seen_[id] = call_;
        float &logit = candidates_[id].logit;
        logit = logit > 0 ? logit / options_.repeat_penalty : logit * options_.repeat_penalty;
        constexpr float most = std::numeric_limits<float>::max();
        logit = std::clamp(logit, -most, most);
    }
}

int Sampler::greedy() const { return std::min_element(candidates_.begin(), candidates_.end(), better)->id; }

size_t Sampler::keep_top_k() {
    const size_t k = static_cast<size_t>(options_.top_k);
    const auto middle = candidates_.begin() + static_cast<std::ptrdiff_t>(k);
    std::nth_element(candidates_.begin(), middle, candidates_.end(), better);
    std::sort(candidates_.begin(), middle, better);
    return k;
}

// Of the first `count` candidates, the fewest best whose probability (at temperature 1) reaches top_p.
size_t Sampler::keep_top_p(size_t count, bool sorted) {
    const auto begin = candidates_.begin(), end = begin + static_cast<std::ptrdiff_t>(count);
    const double top = std::min_element(begin, end, better)->logit;
    double total = 0;
    for (auto it = begin; it != end; ++it) total += std::exp(it->logit - top);
    const double wanted = static_cast<double>(options_.top_p) * total;
    double sum = 0;
    size_t kept = 0;
    for (size_t done = sorted ? count : 0; kept < count; ++kept) {
        if (kept == done) { // sort the next stretch only
            const size_t more = std::min(count, std::max<size_t>(128, done * 4));
            std::partial_sort(begin + static_cast<std::ptrdiff_t>(done),
                              begin + static_cast<std::ptrdiff_t>(more), end, better);
            done = more;
        }
        sum += std::exp(candidates_[kept].logit - top);
        if (sum >= wanted) return kept + 1;
    }
    return count; // rounding left the sum a little short
}

int Sampler::draw(size_t count) {
    const auto begin = candidates_.begin(), end = begin + static_cast<std::ptrdiff_t>(count);
    const double top = std::min_element(begin, end, better)->logit;
    double total = 0;
    for (size_t i = 0; i < count; ++i) {
        weights_[i] = std::exp((candidates_[i].logit - top) / static_cast<double>(options_.temperature));
        total += weights_[i];
    }
    double left = rng_.uniform() * total;
    size_t last = 0; // the last candidate that can be drawn at all, for when rounding runs past the end
    for (size_t i = 0; i < count; ++i) {
        if (weights_[i] <= 0) continue;
        last = i;
        left -= weights_[i];
        if (left < 0) break;
    }
    return candidates_[last].id;
}

int Sampler::sample(const float *logits, const int *recent, size_t n_recent) {
    load(logits);
    penalize(recent, n_recent);
    if (options_.temperature <= 0) return greedy();
    size_t count = candidates_.size();
    const bool sorted = options_.top_k > 0 && static_cast<size_t>(options_.top_k) < count;
    if (sorted) count = keep_top_k();
    if (options_.top_p < 1.0f) count = keep_top_p(count, sorted);
    return draw(count);
}

} // namespace ks::text
