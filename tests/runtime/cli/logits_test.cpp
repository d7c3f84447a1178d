// SPDX-License-Identifier: Apache-2.0
// ks logits: against the golden files, whole, stepped and in pieces; formats and refusals.
#include "tests/runtime/cli/process.h"
#include "tests/support/golden.h"
#include <cmath>
#include <nlohmann/json.hpp>

namespace ks::test {
namespace {

class Logits : public Process {
  protected:
    std::string command(const std::string &folder) const {
        return "logits -m '" + golden_path(folder) + "' -t 1 --tokens " + quoted("t.json") + " --out " +
               quoted("l.npy") + " ";
    }
    io::Array logits(const std::string &folder, const std::string &flags) {
        Said said = run(command(folder) + flags);
        EXPECT_EQ(said.status, 0) << said.err;
        EXPECT_EQ(said.out, "");
        return io::read_npy(path("l.npy"));
    }
};

TEST_F(Logits, GoldenCasesAsOneRaggedBatch) {
    for (const char *folder : {"blackmamba_tiny", "mamba_hf_tiny"}) {
        auto cases = read_golden(golden_path(folder));
        nlohmann::json lists = nlohmann::json::array();
        size_t longest = 0;
        for (const auto &c : cases) lists.push_back(c.tokens), longest = std::max(longest, c.tokens.size());
        ASSERT_GE(cases.size(), 2u);
        scratch_.write("t.json", lists.dump());
        for (const char *flags : {"--dtype f32", "--dtype f32 --step", "--dtype f32 --chunk 5"}) {
            io::Array a = logits(folder, flags);
            auto vocab = static_cast<size_t>(cases[0].vocab);
            EXPECT_EQ(a.dtype, DType::f32);
            ASSERT_EQ(a.shape, (std::vector<int64_t>{static_cast<int64_t>(cases.size()),
                                                     static_cast<int64_t>(longest), cases[0].vocab}));
            auto got = io::to_f32(a.tensor());
            for (size_t b = 0; b < cases.size(); b++)
                for (size_t i = 0; i < longest * vocab; i++) {
                    float value = got[b * longest * vocab + i];
                    if (i >= cases[b].logits.size()) {
                        ASSERT_TRUE(std::isnan(value)) << folder << flags;
                    } else {
                        ASSERT_NEAR(value, cases[b].logits[i], 3e-4 + 1e-4 * std::abs(cases[b].logits[i]))
                            << folder << " " << flags << ", list " << b;
                    }
                }
        }
    }
}

TEST_F(Logits, MoreListsThanOnePassHolds) {
    nlohmann::json lists = nlohmann::json::array();
    for (int b = 0; b < 150; b++) lists.push_back(std::vector<int>(static_cast<size_t>(1 + b % 3), 3));
    scratch_.write("t.json", lists.dump());
    io::Array a = logits("blackmamba_tiny", "");
    ASSERT_EQ(a.shape[0], 150);
    auto got = io::to_f32(a.tensor());
    auto row = static_cast<size_t>(a.shape[1] * a.shape[2]);
    for (size_t b = 0; b < 150; b++)
        for (size_t i = 0; i < row; i++) {
            size_t same = 2 * row + i; // list 2 is the longest of the three kinds
            if (i >= (1 + b % 3) * static_cast<size_t>(a.shape[2])) {
                ASSERT_TRUE(std::isnan(got[b * row + i]));
            } else {
                ASSERT_NEAR(got[b * row + i], got[same], 1e-4);
            }
        }
}

TEST_F(Logits, StorageTypesDifferALittle) {
    scratch_.write("t.json", "[[5, 6, 7, 8, 9, 10]]");
    auto f32 = io::to_f32(logits("mamba_hf_tiny", "--dtype f32").tensor());
    for (const char *type : {"bf16", "f16"}) {
        auto half = io::to_f32(logits("mamba_hf_tiny", std::string("--dtype ") + type).tensor());
        double worst = 0, top = 0;
        for (size_t i = 0; i < f32.size(); i++)
            worst = std::max<double>(worst, std::abs(half[i] - f32[i])),
            top = std::max<double>(top, std::abs(f32[i]));
        EXPECT_GT(worst, 0) << type;
        EXPECT_LT(worst, 0.05 * top) << type;
    }
}

TEST_F(Logits, ActivationIsAChoice) {
    scratch_.write("t.json", "[[5, 6, 7]]");
    auto one = io::to_f32(logits("blackmamba_tiny", "--act silu").tensor());
    auto other = io::to_f32(logits("blackmamba_tiny", "--act gelu_erf").tensor());
    EXPECT_NE(one, other);
}

TEST_F(Logits, RefusalsNameTheFile) {
    expect_refused(run(command("blackmamba_tiny")), {path("t.json")}); // missing
    scratch_.write("t.json", "[[1], [2, 64]]");                        // one beyond the vocabulary
    expect_refused(run(command("blackmamba_tiny")), {path("t.json"), "64"});
    scratch_.write("t.json", "{\"a\": [1]}");
    expect_refused(run(command("blackmamba_tiny")), {path("t.json")});
    scratch_.write("t.json", "[[1]]");
    expect_refused(run("logits -m '" + golden_path("blackmamba_tiny") + "' --tokens " + quoted("t.json") +
                       " --out " + quoted("no/l.npy")),
                   {path("no/l.npy")});
    EXPECT_EQ(run(command("blackmamba_tiny") + "--dtype f8").status, 2);
    EXPECT_EQ(run(command("blackmamba_tiny") + "--chunk 0").status, 2);
}

TEST_F(Logits, MoreThanTheMemoryIsRefused) {
    std::string text = "[[1";
    for (int i = 0; i < 300000; i++) text += ",1";
    for (int i = 0; i < 300000; i++) text += "],[1";
    scratch_.write("t.json", text + "]]");
    expect_refused(run(command("blackmamba_tiny")), {path("t.json"), "GB"});
}

} // namespace
} // namespace ks::test
