// SPDX-License-Identifier: Apache-2.0
// ks perplexity and ks tokenize, against what follows from ks logits.
#include "tests/runtime/cli/process.h"
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

namespace ks::test {
namespace {

const std::string folder = std::string(KS_SOURCE_DIR) + "/models/kjv-8x11m";

class Perplexity : public Process {
  protected:
    std::string perplexity(const std::string &text) {
        scratch_.write("text", text);
        Said said = run("perplexity -m '" + folder + "' -t 1 -f " + quoted("text"));
        EXPECT_EQ(said.status, 0) << said.err;
        return said.out;
    }
    static double number(const std::string &said, const std::string &label) {
        size_t at = said.find(label);
        if (at == std::string::npos) throw std::runtime_error(label + " is not in " + said);
        return std::stod(said.substr(at + label.size()));
    }
    std::vector<int> ids(const std::string &text) {
        scratch_.write("text", text);
        EXPECT_EQ(run("tokenize --tokenizer '" + folder + "/tokenizer.json' --text-file " + quoted("text") +
                      " --out " + quoted("i.json"))
                      .status,
                  0);
        return nlohmann::json::parse(read_all(path("i.json"))).get<std::vector<int>>();
    }
};

TEST_F(Perplexity, IsTheMeanSurpriseOfTheLogits) {
    std::string text =
        "And it came to pass in those days, that there went out a decree from Caesar Augustus.\n";
    auto end = ids("<|endoftext|>"), tokens = ids(text);
    ASSERT_EQ(end.size(), 1u);
    tokens.insert(tokens.begin(), end[0]);
    scratch_.write("t.json", nlohmann::json{tokens}.dump());
    ASSERT_EQ(
        run("logits -m '" + folder + "' -t 1 --tokens " + quoted("t.json") + " --out " + quoted("l.npy"))
            .status,
        0);
    io::Array a = io::read_npy(path("l.npy"));
    auto logits = io::to_f32(a.tensor());
    double nats = 0;
    for (size_t t = 0; t + 1 < tokens.size(); t++) {
        double sum = 0;
        const float *row = logits.data() + t * static_cast<size_t>(a.shape[2]);
        for (int64_t v = 0; v < a.shape[2]; v++) sum += std::exp(static_cast<double>(row[v]));
        nats += std::log(sum) - row[tokens[t + 1]];
    }
    std::string said = perplexity(text);
    auto count = static_cast<double>(tokens.size() - 1);
    EXPECT_EQ(number(said, "tokens "), count);
    EXPECT_NEAR(number(said, "nats per token "), nats / count, 2e-5);
    EXPECT_NEAR(number(said, "perplexity "), std::exp(nats / count), 2e-3);
    EXPECT_NEAR(number(said, "bits per byte "), nats / std::log(2.) / static_cast<double>(text.size()), 2e-5);
}

TEST_F(Perplexity, EveryTextStartsAnew) {
    std::string one = "Jesus wept.\n", other = "And God said, Let there be light.\n", mark = "<|endoftext|>";
    auto nats = [&](const std::string &text) {
        std::string said = perplexity(text);
        return number(said, "tokens ") * number(said, "nats per token ");
    };
    // Nothing of the first text is left after the mark: swapping the two changes only how the marks are
    // predicted.
    EXPECT_NEAR(nats(one + mark + other + mark), nats(one + mark) + nats(other + mark), 1e-2);
}

TEST_F(Perplexity, Refusals) {
    for (const char *text : {"", "<|endoftext|>"}) {
        scratch_.write("text", text);
        expect_refused(run("perplexity -m '" + folder + "' -f " + quoted("text")), {path("text")});
    }
    expect_refused(run("perplexity -m '" + path("none") + "' --tokenizer '" + folder +
                       "/tokenizer.json' -f " + quoted("text")),
                   {path("none")});
    expect_refused(run(std::string("perplexity -m '") + KS_SOURCE_DIR +
                       "/tests/golden/mamba_hf_tiny' --tokenizer '" + folder +
                       "/tokenizer.json' -f '" KS_SOURCE_DIR "/LICENSE'"),
                   {"tokenizer.json", "61"}); // of another, smaller model
}

TEST_F(Perplexity, TokenizeTakesAnyBytes) {
    EXPECT_TRUE(ids("").empty());
    EXPECT_FALSE(ids(std::string("\xFF\xFE\0\xC3", 4)).empty());
    EXPECT_EQ(run("tokenize --tokenizer x").status, 2);
}

} // namespace
} // namespace ks::test
