// SPDX-License-Identifier: Apache-2.0
// ks op for what works row by row, against the oracles.
#include "tests/oracles/embedding.h"
#include "tests/oracles/expert_tiles.h"
#include "tests/oracles/norm.h"
#include "tests/oracles/router.h"
#include "tests/runtime/cli/op_fixture.h"
#include <limits>

namespace ks::test {
namespace {

using OpOfRows = Op;

TEST_F(OpOfRows, Norms) {
    Values in = {{"hidden", random({4, 29}, -1, 1)},
                 {"residual", random({4, 29}, -1, 1)},
                 {"weight", random({29}, 0, 2)},
                 {"bias", random({29}, -1, 1)}};
    for (bool add : {true, false}) {
        if (!add) in.erase("residual");
        write("in.npz", in);
        Doubles before = add ? wide(in["residual"]) : Doubles{}, sum = before;
        ASSERT_EQ(op("rms_norm --in " + quoted("in.npz")).status, 0);
        expect("y", oracle::rms_norm(wide(in["hidden"]), &sum, wide(in["weight"])), {4, 29});
        expect("residual", sum, {4, 29});
        sum = before;
        ASSERT_EQ(op("layer_norm --in " + quoted("in.npz")).status, 0);
        expect("y", oracle::layer_norm(wide(in["hidden"]), &sum, wide(in["weight"]), wide(in["bias"])),
               {4, 29});
        expect("residual", sum, {4, 29});
    }
}

TEST_F(OpOfRows, NormsRoundAsAsked) {
    Values in = {{"hidden", random({4, 29}, -1, 1)},
                 {"residual", random({4, 29}, -1, 1)},
                 {"weight", random({29}, 0, 2)},
                 {"bias", random({29}, -1, 1)}};
    write("in.npz", in);
    auto rounded_to = [&](const std::string &type) { // every value is one of the type
        for (float v : io::to_f32(io::NpzReader(path("out.npz")).read("y").tensor()))
            if (oracle::rounded(v, rounding_of(type)) != v) return false;
        return true;
    };
    for (const std::string type : {"bf16", "f16", "hf_bf16", "hf_f16"}) {
        SCOPED_TRACE(type);
        oracle::NormOptions options;
        options.sum = options.output = rounding_of(type);
        if (type[0] == 'h') options.normalised = rounding_of(type);
        const double tolerance = rounding_of(type) == oracle::Rounding::bf16 ? 1e-2 : 1.4e-3; // a step of it
        Doubles sum = wide(in["residual"]);
        run_well("rms_norm --rounding " + type + " --in " + quoted("in.npz"));
        expect("y", oracle::rms_norm(wide(in["hidden"]), &sum, wide(in["weight"]), options), {4, 29},
               tolerance);
        EXPECT_TRUE(rounded_to(type));
        if (type[0] == 'h') continue;
        sum = wide(in["residual"]);
        run_well("layer_norm --rounding " + type + " --in " + quoted("in.npz"));
        expect("y",
               oracle::layer_norm(wide(in["hidden"]), &sum, wide(in["weight"]), wide(in["bias"]), options),
               {4, 29}, tolerance);
        EXPECT_TRUE(rounded_to(type));
    }
    run_well("rms_norm --in " + quoted("in.npz"));
    EXPECT_FALSE(rounded_to("bf16"));
}

TEST_F(OpOfRows, AddAndEmbedding) {
    Values in = {{"a", random({5, 33}, -1, 1)}, {"b", random({5, 33}, -1, 1)}};
    write("in.npz", in);
    run_well("add --in " + quoted("in.npz"));
    Doubles sum = wide(in["a"]);
    for (size_t i = 0; i < sum.size(); i++) sum[i] += in["b"].values[i];
    expect("y", sum, {5, 33});

    Values table = {{"table", random({11, 7}, -1, 1)}};
    write("in.npz", table, {3, 10, 0, 3}, "ids");
    for (const std::string type : {"f32", "bf16", "f16"}) {
        run_well("embedding --weight " + type + " --in " + quoted("in.npz"));
        expect("y", oracle::embedding({3, 10, 0, 3}, stored(table["table"], type), 7), {4, 7}, 0);
    }
    write("in.npz", table, {3, 11}, "ids");
    expect_refused(op("embedding --in " + quoted("in.npz")), {path("in.npz"), "ids holds 11"});
}

TEST_F(OpOfRows, Router) {
    Value logits = random({50, 7}, -3, 3);
    write("in.npz", {{"logits", logits}});
    run_well("router --score softmax --in " + quoted("in.npz"));
    auto wanted = oracle::route_top1(wide(logits), 7, oracle::Gate::softmax);
    expect("gate", wanted.gate, {50});
    run_well("router --in " + quoted("in.npz"));
    wanted = oracle::route_top1(wide(logits), 7, oracle::Gate::sigmoid);
    expect("index", wanted.index);
    expect("gate", wanted.gate, {50});
    expect("counts", wanted.groups.counts);
    expect("offsets", wanted.groups.offsets);
    expect("permutation", wanted.groups.permutation);
}

TEST_F(OpOfRows, ExpertTiles) {
    using Integers = std::vector<int64_t>;
    const Integers counts = {2, 0, 5}, offsets = {0, 2, 2, 7}, permutation = {3, 6, 0, 1, 2, 4, 5};
    auto run_on = [&](const std::map<std::string, Integers> &given) {
        std::map<std::string, Integers> all = {
            {"counts", counts}, {"offsets", offsets}, {"permutation", permutation}, {"slots", {4}}};
        for (const auto &[name, values] : given) all[name] = values;
        std::vector<io::Tensor> tensors;
        for (const auto &[name, values] : all)
            tensors.push_back(io::tensor_of(name, values, {static_cast<int64_t>(values.size())}));
        io::write_npz(path("in.npz"), tensors);
        return op("expert_tiles --in " + quoted("in.npz"));
    };
    for (int tiles : {4, 2, 5}) { // 4 always suffice for 7 tokens of 3 experts
        SCOPED_TRACE(tiles);
        std::map<std::string, Integers> given;
        if (tiles != 4) given["tiles"] = {tiles};
        Said said = run_on(given);
        ASSERT_EQ(said.status, 0) << said.err;
        auto wanted = oracle::expert_tiles({{2, 0, 5}, {0, 2, 2, 7}, {3, 6, 0, 1, 2, 4, 5}}, 4, tiles);
        expect("rows", Doubles(wanted.rows.begin(), wanted.rows.end()), {tiles, 4});
        expect("experts", Doubles(wanted.experts.begin(), wanted.experts.end()), {tiles, 4});
    }
    const int64_t far = int64_t(1) << 32, end = std::numeric_limits<int64_t>::max();
    const std::vector<std::pair<std::string, Integers>> broken = {
        {"counts", {2, 1, 5}}, // offsets have others
        {"counts", {}},
        {"offsets", {0, 2, 2, 6}},
        {"offsets", {0, 2, 2}},
        {"offsets", {0, end, -end, 7}},
        {"permutation", {3, 6, 0, 1, 2, 4, 4}}, // twice
        {"permutation", {3, 6, 0, 1, 2, 4, 7}}, // no token
        {"permutation", {3, 6, 0, 1, 2, 4, 5 + far}}};
    for (const auto &[name, values] : broken) {
        Said said = run_on({{name, values}});
        EXPECT_EQ(said.status, 1) << name;
        EXPECT_NE(said.err.find("in.npz: counts, offsets and permutation"), std::string::npos) << said.err;
    }
    for (const char *name : {"slots", "tiles"})
        for (const Integers &values : {Integers{0}, Integers{(1 << 24) + 1}, Integers{4, 4}}) {
            Said said = run_on({{name, values}});
            EXPECT_EQ(said.status, 1) << name;
            EXPECT_NE(said.err.find(std::string(name) + " is not one number from 1 to"), std::string::npos)
                << said.err;
        }
}

} // namespace
} // namespace ks::test
