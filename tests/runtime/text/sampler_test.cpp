// SPDX-License-Identifier: Apache-2.0
// The sampler against a distribution worked out in the plainest way, and its edges.
#include "runtime/text/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include <gtest/gtest.h>

#include "runtime/base/error.h"

using namespace ks::text;

namespace {

const std::vector<float> kLogits{1.0f, -0.5f, 2.5f, 0.0f, 2.0f, -3.0f, 1.5f, 1.5f, -1.0f, 0.7f};

SamplerOptions plain() {
    SamplerOptions o;
    o.temperature = 1;
    o.top_k = 0;
    o.top_p = 1;
    return o;
}

// Probabilities by id, everything sorted and in long double.
std::vector<double> expected(const SamplerOptions &o, std::vector<float> logits,
                             const std::vector<int> &recent) {
    const size_t last = o.repeat_last_n < 0 ? recent.size() : static_cast<size_t>(o.repeat_last_n);
    const size_t skip = recent.size() - std::min(recent.size(), last);
    for (const int id : std::set<int>(recent.begin() + static_cast<std::ptrdiff_t>(skip), recent.end())) {
        float &l = logits[static_cast<size_t>(id)];
        l = l > 0 ? l / o.repeat_penalty : l * o.repeat_penalty;
    }
    std::vector<size_t> order(logits.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return logits[a] > logits[b]; });
    if (o.top_k > 0 && static_cast<size_t>(o.top_k) < order.size())
        order.resize(static_cast<size_t>(o.top_k));
    long double total = 0, sum = 0;
    for (const size_t i : order) total += std::exp(static_cast<long double>(logits[i]));
    for (size_t n = 0; n < order.size() && o.top_p < 1; ++n) {
        sum += std::exp(static_cast<long double>(logits[order[n]])) / total;
        if (sum >= static_cast<long double>(o.top_p)) order.resize(n + 1);
    }
    std::vector<double> p(logits.size());
    long double mass = 0;
    for (const size_t i : order) mass += std::exp(static_cast<long double>(logits[i]) / o.temperature);
    for (const size_t i : order) {
        p[i] = static_cast<double>(std::exp(static_cast<long double>(logits[i]) / o.temperature) / mass);
    }
    return p;
}

void check(const SamplerOptions &o, const std::vector<float> &logits, const std::vector<int> &recent = {}) {
    constexpr int n = 60000;
    Sampler sampler(o, static_cast<int>(logits.size()));
    std::vector<int> counts(logits.size());
    for (int i = 0; i < n; ++i) {
        ++counts[static_cast<size_t>(sampler.sample(logits.data(), recent.data(), recent.size()))];
    }
    const std::vector<double> p = expected(o, logits, recent);
    for (size_t i = 0; i < p.size(); ++i) {
        if (p[i] == 0) {
            EXPECT_EQ(counts[i], 0) << i;
        }
        EXPECT_NEAR(counts[i], n * p[i], 5 * std::sqrt(n * p[i] * (1 - p[i])) + 1e-9) << i;
    }
}

int once(const SamplerOptions &o, const std::vector<float> &logits, const std::vector<int> &recent = {}) {
    return Sampler(o, static_cast<int>(logits.size())).sample(logits.data(), recent.data(), recent.size());
}

} // namespace

TEST(Sampler, Distribution) {
    SamplerOptions o = plain();
    check(o, kLogits);
    o.temperature = 0.5f;
    check(o, kLogits);
    o.temperature = 3;
    check(o, kLogits);
    o.top_k = 3; // cuts between the two equal logits: the lower id stays
    check(o, kLogits);
    o.top_k = 0;
    o.top_p = 0.6f;
    check(o, kLogits);
    o.top_k = 6;
    o.top_p = 0.9f;
    check(o, kLogits);
    o.repeat_penalty = 1.5f;
    check(o, kLogits, {2, 2, 5, 4, 2});
    o.repeat_last_n = 2;
    check(o, kLogits, {6, 7, 4, 5});
    o.repeat_last_n = -1;
    check(o, kLogits, {6, 7, 4, 5});
    o.repeat_last_n = 0;
    check(o, kLogits, {6, 7, 4, 5});
}

TEST(Sampler, DistributionOverManyTokens) { // top-p has to sort more than one stretch
    std::vector<float> logits(1000);
    for (size_t i = 0; i < logits.size(); ++i) logits[i] = static_cast<float>((i * 7919) % 1000) * 0.003f;
    SamplerOptions o = plain();
    o.top_p = 0.5f;
    const std::vector<double> p = expected(o, logits, {});
    Sampler sampler(o, 1000);
    std::set<int> seen;
    for (int i = 0; i < 20000; ++i) seen.insert(sampler.sample(logits.data(), nullptr, 0));
    size_t allowed = 0;
    for (const double x : p) allowed += x > 0;
    EXPECT_EQ(seen.size(), allowed);
    for (const int id : seen) EXPECT_GT(p[static_cast<size_t>(id)], 0);
}

TEST(Sampler, Greedy) {
    SamplerOptions o;
    o.temperature = 0;
    EXPECT_EQ(once(o, kLogits), 2);
    EXPECT_EQ(once(o, {1, 3, 3, 2}), 1);
    o.temperature = -1;
    EXPECT_EQ(once(o, {-5, -4, -9}), 1);
    o.repeat_penalty = 2;
    EXPECT_EQ(once(o, kLogits, {2}), 4);
    EXPECT_EQ(once(o, {-5, -4, -9}, {1}), 0);
    EXPECT_EQ(once(o, {-5, -4, -9}, {-1, 3, 100, 1 << 30}), 1); // ids that are no tokens are passed over
}

TEST(Sampler, NarrowestFilters) {
    SamplerOptions o = plain();
    o.top_p = 0;
    EXPECT_EQ(once(o, kLogits), 2);
    o.top_p = -1;
    EXPECT_EQ(once(o, kLogits), 2);
    o.top_p = 1;
    o.top_k = 1;
    EXPECT_EQ(once(o, kLogits), 2);
    o.top_k = 1000;
    check(o, kLogits);
}

TEST(Sampler, VocabIsTheLimit) {
    SamplerOptions o = plain();
    const std::vector<float> logits{0, 0, std::numeric_limits<float>::quiet_NaN(), 100};
    Sampler sampler(o, 2);
    for (int i = 0; i < 100; ++i) EXPECT_LT(sampler.sample(logits.data(), nullptr, 0), 2);
    o.temperature = 0;
    EXPECT_EQ(Sampler(o, 2).sample(logits.data(), nullptr, 0), 0);
}

TEST(Sampler, ExtremeLogits) {
    constexpr float most = std::numeric_limits<float>::max();
    SamplerOptions o = plain();
    o.repeat_penalty = 1e-30f;
    o.temperature = 1e-30f;
    EXPECT_EQ(once(o, {-most, most, 0, -most}, {0, 1}), 1);
    o.repeat_penalty = 1e30f;
    EXPECT_EQ(once(o, {-most, -most, 5}, {0, 1}), 2);
}

TEST(Sampler, SameSeedSameTokens) {
    SamplerOptions o = plain();
    const auto run = [&](uint64_t seed) {
        o.seed = seed;
        Sampler sampler(o, static_cast<int>(kLogits.size()));
        std::vector<int> ids;
        for (int i = 0; i < 50; ++i) ids.push_back(sampler.sample(kLogits.data(), nullptr, 0));
        return ids;
    };
    EXPECT_EQ(run(5), run(5));
    EXPECT_NE(run(5), run(6));
}

TEST(Sampler, GeneratorGoesOnInAnotherSampler) {
    SamplerOptions o = plain();
    const int vocab = static_cast<int>(kLogits.size());
    Sampler first(o, vocab);
    for (int i = 0; i < 7; ++i) first.sample(kLogits.data(), nullptr, 0);
    o.seed = 99;
    Sampler second(o, vocab);
    second.generator() = first.generator();
    for (int i = 0; i < 50; ++i)
        ASSERT_EQ(first.sample(kLogits.data(), nullptr, 0), second.sample(kLogits.data(), nullptr, 0)) << i;
}

TEST(Sampler, BadLogitsAndOptions) {
    constexpr float inf = std::numeric_limits<float>::infinity();
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    for (const float bad : {inf, -inf, nan}) EXPECT_THROW(once(plain(), {0, bad, 1}), ks::Error);
    const auto refused = [](auto change) {
        SamplerOptions o;
        change(o);
        EXPECT_THROW(Sampler(o, 3), ks::Error);
    };
    refused([](SamplerOptions &o) { o.temperature = nan; });
    refused([](SamplerOptions &o) { o.temperature = inf; });
    refused([](SamplerOptions &o) { o.top_p = nan; });
    refused([](SamplerOptions &o) { o.repeat_penalty = 0; });
    refused([](SamplerOptions &o) { o.repeat_penalty = nan; });
    refused([](SamplerOptions &o) { o.repeat_last_n = -2; });
    EXPECT_THROW(Sampler(SamplerOptions{}, 0), ks::Error);
}
