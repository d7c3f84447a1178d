// SPDX-License-Identifier: Apache-2.0
// Random checkpoints of every layer kind and odd widths against the double-precision model.
#include "runtime/base/cpu.h"
#include "runtime/model/model.h"
#include "tests/runtime/io/files.h"
#include "tests/support/random_model.h"
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

namespace ks::model {
namespace {

std::vector<int> tokens_of(int length, int vocab) {
    std::vector<int> t;
    for (int i = 0; i < length; i++) t.push_back((i * 31 + 7) % vocab);
    return t;
}

// [length][vocab] in passes of at most `chunk` tokens.
std::vector<float> run(Model &model, State &state, int slot, const std::vector<int> &tokens, int chunk) {
    std::vector<float> out;
    auto vocab = static_cast<size_t>(model.config().vocab);
    for (size_t at = 0; at < tokens.size();) {
        int length = static_cast<int>(std::min<size_t>(static_cast<size_t>(chunk), tokens.size() - at));
        const float *logits = model.forward(state, {slot, 1, tokens.data() + at, &length}, Logits::all);
        for (int t = 0; t < length; t++, logits += model.logits_stride())
            out.insert(out.end(), logits, logits + vocab);
        at += static_cast<size_t>(length);
    }
    return out;
}

void expect_f32(const std::vector<float> &got, const std::vector<double> &wanted) {
    ASSERT_EQ(got.size(), wanted.size());
    for (size_t i = 0; i < got.size(); i++)
        ASSERT_LE(std::abs(got[i] - wanted[i]), 3e-4 + 1e-4 * std::abs(wanted[i])) << "logit " << i;
}

struct Case {
    std::vector<std::string> layers;
    int hidden, states, conv_width;
    bool gated, silu;
};

class RandomCheckpoint : public testing::TestWithParam<Case> {};

TEST_P(RandomCheckpoint, AgreesWithTheDoubleReference) {
    const Case &k = GetParam();
    auto config = test::small_config(k.layers, k.hidden, k.states, k.conv_width);
    config.gated = k.gated;
    config.activation = k.silu ? oracle::Activation::silu : oracle::Activation::gelu_erf;
    test::RandomModel random(config, "f32", k.hidden + k.states);
    auto tokens = tokens_of(37, config.vocab);
    auto wanted = oracle::model_logits(config, random.weights(), tokens);
    for (const std::string &isa : all_isas()) {
        if (!cpu_has(isa)) continue;
        for (int threads : {1, 2}) {
            SCOPED_TRACE(std::string(isa) + ", threads " + std::to_string(threads));
            LoadOptions options;
            options.isa = isa;
            options.threads = threads;
            Model model(random.folder(), options);
            for (int chunk : {64, 7, 1}) { // whole, in pieces, token by token
                State state(model.config(), 1);
                expect_f32(run(model, state, 0, tokens, chunk), wanted);
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, RandomCheckpoint,
                         testing::Values(Case{{"r", "8"}, 20, 16, 4, true, false},
                                         Case{{"r", "8", "r", "4"}, 92, 16, 4, true, true},
                                         Case{{"r1", "r4"}, 36, 8, 3, true, false},
                                         Case{{"r", "1"}, 184, 16, 2, false, false},
                                         Case{{"r", "r"}, 20, 1, 4, true, false},
                                         Case{{"r", "2"}, 48, 64, 4, false, true},
                                         Case{{"8", "r"}, 20, 5, 4, true, false}));

TEST(Batches, RaggedEqualsSingle) {
    auto config = test::small_config({"r", "8", "r1"}, 40);
    test::RandomModel random(config, "f32", 5);
    LoadOptions options;
    options.threads = 2;
    Model model(random.folder(), options);
    std::vector<std::vector<int>> prompts = {tokens_of(5, 60), tokens_of(1, 50), tokens_of(17, 61),
                                             tokens_of(3, 40)};
    State together(model.config(), 4), alone(model.config(), 1);
    std::vector<int> tokens, lengths, next = {1, 2, 3, 4}, ones = {1, 1, 1, 1};
    for (const auto &p : prompts) {
        tokens.insert(tokens.end(), p.begin(), p.end());
        lengths.push_back(static_cast<int>(p.size()));
    }
    model.forward(together, {0, 4, tokens.data(), lengths.data()}, Logits::none);
    const float *logits = model.forward(together, {0, 4, next.data(), ones.data()}, Logits::last);
    auto vocab = static_cast<size_t>(config.vocab);
    std::vector<float> got;
    for (int s = 0; s < 4; s++)
        got.insert(got.end(), logits + s * model.logits_stride(), logits + s * model.logits_stride() + vocab);
    for (size_t s = 0; s < 4; s++) {
        alone.clear();
        model.prefill(alone, 0, prompts[s].data(), prompts[s].size());
        const float *one = model.forward(alone, {0, 1, &next[s], ones.data()}, Logits::last);
        for (size_t v = 0; v < vocab; v++)
            ASSERT_NEAR(one[v], got[s * vocab + v], 2e-5) << "sequence " << s << ", id " << v;
        EXPECT_EQ(together.position(static_cast<int>(s)), static_cast<int64_t>(prompts[s].size()) + 1);
    }
}

TEST(Chunks, LengthOfAPassChangesNothing) {
    auto config = test::small_config({"r", "8", "r4"}, 40);
    test::RandomModel random(config, "f32", 6);
    auto prompt = tokens_of(45, config.vocab);
    std::vector<float> whole;
    for (int chunk : {64, 1, 3, 7, 16, 45}) {
        LoadOptions options;
        options.threads = 2;
        options.chunk = chunk;
        Model model(random.folder(), options);
        EXPECT_EQ(model.chunk(), chunk);
        State state(model.config(), 2);
        const float *logits = model.prefill(state, 1, prompt.data(), prompt.size());
        if (whole.empty()) whole.assign(logits, logits + config.vocab);
        for (size_t v = 0; v < whole.size(); v++)
            ASSERT_NEAR(logits[v], whole[v], 2e-5) << "chunk " << chunk << ", id " << v;
        EXPECT_EQ(state.position(1), 45);
        EXPECT_EQ(state.position(0), 0);
    }
}

TEST(Refusals, WidthsWithoutKernelsAreOneLine) {
    auto expect = [](int states, int conv_width, const std::string &cause) {
        test::RandomModel random(test::small_config({"r"}, 20, states, conv_width), "f32", 1);
        test::expect_error(random.folder() + "/config.json", cause,
                           [&] { Model(random.folder(), LoadOptions()); });
    };
    expect(16, 5, "convolution of width 5");
    expect(16, 1, "convolution of width 1");
    expect(257, 4, "more than 256 states");
    test::RandomModel random(test::small_config({"r"}, 20), "f32", 1);
    LoadOptions options;
    options.isa = "sse2";
    test::expect_error("", "sse2", [&] { Model(random.folder(), options); });
}

double median(std::vector<double> v) {
    std::sort(v.begin(), v.end());
    return v[v.size() / 2];
}

// Largest error of each row of logits.
template <typename T>
std::vector<double> row_errors(const std::vector<T> &got, const std::vector<double> &wanted, int vocab) {
    std::vector<double> errors(wanted.size() / static_cast<size_t>(vocab), 0);
    for (size_t i = 0; i < wanted.size(); i++) {
        double &e = errors[i / static_cast<size_t>(vocab)];
        e = std::max(e, std::abs(static_cast<double>(got[i]) - wanted[i]));
    }
    return errors;
}

TEST(Bf16, IsAsGoodAsTheReferenceInBf16) {
    auto config = test::small_config({"r", "8", "r", "8"}, 64);
    test::RandomModel random(config, "bf16", 11);
    auto tokens = tokens_of(60, config.vocab);
    auto exact = oracle::model_logits(config, random.weights(), tokens);
    oracle::ModelOptions rounded;
    rounded.rounding = oracle::Rounding::bf16;
    auto reference =
        row_errors(oracle::model_logits(config, random.weights(), tokens, rounded), exact, config.vocab);
    LoadOptions options;
    options.dtype = DType::bf16;
    options.threads = 1;
    Model model(random.folder(), options);
    State state(model.config(), 1);
    auto ours = row_errors(run(model, state, 0, tokens, 64), exact, config.vocab);
    double allowed = median(reference);
    EXPECT_LE(median(ours), 2.5 * allowed);
    auto far = std::count_if(ours.begin(), ours.end(), [&](double e) { return e > 10 * allowed; });
    EXPECT_LE(far, static_cast<long>(ours.size()) * 3 / 10);
}

} // namespace
} // namespace ks::model
