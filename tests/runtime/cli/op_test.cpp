// SPDX-License-Identifier: Apache-2.0
// ks op against the oracles in double, and what it refuses.
#include "tests/oracles/causal_conv1d.h"
#include "tests/oracles/expert_mlp.h"
#include "tests/oracles/linear.h"
#include "tests/oracles/selective_scan.h"
#include "tests/oracles/sinkhorn.h"
#include "tests/runtime/cli/op_fixture.h"

namespace ks::test {
namespace {

class OpOfScan : public Op {
  protected:
    Values scan_inputs(int64_t B, int64_t L, int64_t D, int64_t N) {
        return {{"u", random({B, L, D}, -1, 1)},
                {"dt", random({B, L, D}, -4, 1)},
                {"A", random({D, N}, -8, -0.1)},
                {"B", random({B, L, N}, -1, 1)},
                {"C", random({B, L, N}, -1, 1)}};
    }
    static oracle::SelectiveScan scan_oracle(const Values &in) {
        oracle::SelectiveScan o;
        o.channels = static_cast<int>(in.at("A").shape[0]), o.states = static_cast<int>(in.at("A").shape[1]);
        o.u = wide(in.at("u")), o.dt = wide(in.at("dt")), o.A = wide(in.at("A")), o.B = wide(in.at("B")),
        o.C = wide(in.at("C"));
        if (in.count("z")) o.z = wide(in.at("z"));
        if (in.count("D")) o.D = wide(in.at("D"));
        if (in.count("dt_bias")) o.dt_bias = wide(in.at("dt_bias"));
        if (in.count("h0")) o.h = wide(in.at("h0"));
        return o;
    }
};

TEST_F(OpOfScan, ScanWithoutOptionalArrays) {
    Values in = scan_inputs(3, 11, 33, 7);
    write("in.npz", in);
    for (const char *flags : {"-t 1", "-t 2", "-t 1 --isa avx2"}) {
        Said said = op("selective_scan --in " + quoted("in.npz") + " " + flags);
        ASSERT_EQ(said.status, 0) << said.err;
        auto o = scan_oracle(in);
        o.seq_start = {0, 11, 22, 33};
        expect("y", oracle::selective_scan(o), {3, 11, 33});
        expect("h_last", o.h, {3, 33, 7});
    }
}

TEST_F(OpOfScan, ScanOfRaggedSequencesWithEverything) {
    const int64_t L = 40, D = 24, N = 16;
    Values in = scan_inputs(1, L, D, N);
    in["z"] = random({1, L, D}, -2, 2);
    in["D"] = random({D}, -1, 1);
    in["dt_bias"] = random({D}, -1, 1);
    in["h0"] = random({3, D, N}, -1, 1);
    write("in.npz", in, {0, 1, 17, 40});
    Said said = op("selective_scan --in " + quoted("in.npz"));
    ASSERT_EQ(said.status, 0) << said.err;
    auto o = scan_oracle(in);
    o.seq_start = {0, 1, 17, 40};
    expect("y", oracle::selective_scan(o), {1, L, D});
    expect("h_last", o.h, {3, D, N});
}

// Half a step of the storage type (each input and the output is rounded once), with room for the sums.
double error_of_storage(const std::string &type) {
    return type == "bf16" ? 8e-3 : type == "f16" ? 1e-3 : 1e-5;
}

TEST_F(OpOfScan, ScanAndStepInEveryStorageWithAndWithoutSoftplus) {
    const int64_t S = 5, D = 21, N = 6;
    Values whole = scan_inputs(1, S, D, N);
    whole["dt"] = random({1, S, D}, 0.01, 0.5); // a legal step as it is, too
    whole["z"] = random({1, S, D}, -2, 2), whole["D"] = random({D}, -1, 1);
    whole["h0"] = random({S, D, N}, -1, 1);
    Values step = whole;
    for (const char *name : {"u", "dt", "z", "B", "C"}) step[name].shape.erase(step[name].shape.begin());
    write("whole.npz", whole, {0, 1, 2, 3, 4, 5});
    write("step.npz", step);
    for (const std::string io : {"f32", "bf16", "f16"})
        for (const std::string delta : {"softplus", "none"}) {
            SCOPED_TRACE(io + " " + delta);
            auto o = scan_oracle(whole);
            o.seq_start = {0, 1, 2, 3, 4, 5};
            o.u = stored(whole["u"], io), o.dt = stored(whole["dt"], io), o.z = stored(whole["z"], io);
            o.B = stored(whole["B"], io), o.C = stored(whole["C"], io);
            o.softplus = delta == "softplus";
            auto y = oracle::selective_scan(o);
            const std::string flags = " --io " + io + " --delta " + delta;
            run_well("selective_scan --in " + quoted("whole.npz") + flags);
            expect("y", y, {1, S, D}, error_of_storage(io));
            expect("h_last", o.h, {S, D, N});
            run_well("selective_state_update --in " + quoted("step.npz") + flags);
            expect("y", y, {S, D}, error_of_storage(io));
            expect("h_last", o.h, {S, D, N});
        }
    step["C"] = random({S, N + 1}, -1, 1);
    write("bad.npz", step);
    expect_refused(op("selective_state_update --in " + quoted("bad.npz")),
                   {path("bad.npz"), "C has the shape"});
}

TEST_F(Op, ConvAndStepInEveryStorageWithAndWithoutSilu) {
    const int64_t S = 4, D = 19, W = 3;
    Values in = {{"x", random({1, S, D}, -1, 1)},
                 {"weight", random({D, W}, -1, 1)},
                 {"bias", random({D}, -1, 1)},
                 {"state0", random({S, D, W - 1}, -1, 1)}};
    Values step = in;
    step["x"].shape = {S, D};
    write("whole.npz", in, {0, 1, 2, 3, 4});
    write("step.npz", step);
    for (const std::string io : {"f32", "bf16", "f16"})
        for (const std::string act : {"silu", "none"}) {
            SCOPED_TRACE(io + " " + act);
            oracle::CausalConv1d o;
            o.channels = D, o.width = W, o.seq_start = {0, 1, 2, 3, 4}, o.silu = act == "silu";
            o.x = stored(in["x"], io), o.weight = wide(in["weight"]), o.bias = wide(in["bias"]),
            o.state = wide(in["state0"]);
            auto y = oracle::causal_conv1d(o);
            const std::string flags = " --io " + io + " --act " + act;
            run_well("causal_conv1d --in " + quoted("whole.npz") + flags);
            expect("y", y, {1, S, D}, error_of_storage(io));
            expect("state_last", o.state, {S, D, W - 1});
            run_well("causal_conv1d_update --in " + quoted("step.npz") + flags);
            expect("y", y, {S, D}, error_of_storage(io));
            expect("state_last", o.state, {S, D, W - 1});
        }
}

TEST_F(OpOfScan, ScanRefusesWhatDoesNotFit) {
    const Values good = scan_inputs(1, 6, 5, 4);
    auto refused = [&](const std::string &array, const Values &in, const std::vector<int64_t> &starts = {}) {
        write("bad.npz", in, starts);
        expect_refused(op("selective_scan --in " + quoted("bad.npz")), {path("bad.npz"), array});
        EXPECT_FALSE(std::filesystem::exists(path("out.npz")));
    };
    for (const auto &[name, value] : good) {
        Values in = good;
        in.erase(name);
        refused(name, in); // missing
        in[name] = random({7}, -1, 1);
        refused(name, in); // wrong rank
        std::vector<int64_t> shape = value.shape;
        if (name != "u") {
            shape.back() += name == "A" ? -1 : 1;
            in[name] = random(shape, -1, 1);
            write("bad.npz", in);
            expect_refused(op("selective_scan --in " + quoted("bad.npz")), {path("bad.npz"), "shape"});
        }
    }
    Values in = good;
    in["h0"] = random({1, 4, 5}, -1, 1);
    refused("h0", in);
    for (const std::vector<int64_t> &starts :
         {std::vector<int64_t>{0, 7}, {0, 4, 3, 6}, {1, 6}, {0, 5}, {-1, 6}, {0}})
        refused("seq_start", good, starts);
    in = good;
    in["u"] = {{}, {1, 0, 5}};
    refused("u", in);
    in = good;
    in.erase("dt");
    write("bad.npz", in, std::vector<int64_t>(30, 1), "dt"); // the type comes after the shape
    expect_refused(op("selective_scan --in " + quoted("bad.npz")), {path("bad.npz"), "dt"});
    scratch_.write("bad.npz", "PK\3\4 nothing of the kind");
    expect_refused(op("selective_scan --in " + quoted("bad.npz")), {path("bad.npz")});
}

TEST_F(Op, IntegersAreNoFloats) {
    std::vector<int64_t> ones(6, 1);
    io::write_npy(path("l.npy"), io::tensor_of("", ones, {2, 3}));
    expect_refused(op("sinkhorn --in " + quoted("l.npy")), {path("l.npy"), "logits", "i64"});
}

TEST_F(Op, Sinkhorn) {
    const int64_t T = 37, E = 6;
    for (double top : {4.0, 300.0}) { // the second needs logarithms
        Value logits = random({T, E}, -top, top);
        io::write_npy(path("l.npy"), io::tensor_of("", logits.values, logits.shape));
        Said said = op("sinkhorn --in " + quoted("l.npy"));
        ASSERT_EQ(said.status, 0) << said.err;
        auto gate = [&](const std::vector<int> &index) {
            Doubles g;
            for (size_t t = 0; t < index.size(); t++)
                g.push_back(1 / (1 + std::exp(-static_cast<double>(
                                         logits.values[t * E + static_cast<size_t>(index[t])]))));
            return g;
        };
        if (top < 40) {
            oracle::SinkhornOptions once;
            once.cap = 1;
            auto wanted = oracle::sinkhorn_as_coded(wide(logits), E, once);
            expect("plan", wanted.plan, {T, E});
            expect("index", wanted.index);
            expect("gate", gate(wanted.index), {T});
            continue;
        }
        auto plan = io::to_f32(io::NpzReader(path("out.npz")).read("plan").tensor());
        for (int64_t e = 0; e < E; e++) { // a pass ends with exact columns
            double sum = 0;
            for (int64_t t = 0; t < T; t++) sum += plan[static_cast<size_t>(t * E + e)];
            EXPECT_NEAR(sum, 1. / E, 1e-4);
        }
    }
    Value bad = random({T, E}, -1, 1);
    bad.values[5] = NAN;
    io::write_npy(path("l.npy"), io::tensor_of("", bad.values, bad.shape));
    expect_refused(op("sinkhorn --in " + quoted("l.npy")), {path("l.npy"), "logits"});
}

TEST_F(Op, CausalConv) {
    const int64_t L = 19, D = 21;
    for (int64_t W : {2, 3, 4}) {
        Values in = {{"x", random({1, L, D}, -1, 1)},
                     {"weight", random({D, W}, -1, 1)},
                     {"bias", random({D}, -1, 1)},
                     {"state0", random({2, D, W - 1}, -1, 1)}};
        write("in.npz", in, {0, 2, L});
        Said said = op("causal_conv1d --in " + quoted("in.npz"));
        ASSERT_EQ(said.status, 0) << said.err;
        oracle::CausalConv1d o;
        o.channels = D, o.width = static_cast<int>(W), o.seq_start = {0, 2, L};
        o.x = wide(in["x"]), o.weight = wide(in["weight"]), o.bias = wide(in["bias"]),
        o.state = wide(in["state0"]);
        expect("y", oracle::causal_conv1d(o), {1, L, D});
        expect("state_last", o.state, {2, D, W - 1});
    }
    write("in.npz", {{"x", random({1, L, D}, -1, 1)}, {"weight", random({D, 5}, -1, 1)}});
    expect_refused(op("causal_conv1d --in " + quoted("in.npz")), {path("in.npz"), "weight"});
}

TEST_F(Op, Linear) {
    Values in = {
        {"x", random({5, 23}, -1, 1)}, {"w", random({19, 23}, -1, 1)}, {"bias", random({19}, -1, 1)}};
    write("in.npz", in);
    ASSERT_EQ(op("linear --in " + quoted("in.npz")).status, 0);
    expect("y", oracle::linear(wide(in["x"]), wide(in["w"]), 23, wide(in["bias"])), {5, 19});
    for (const std::string type : {"bf16", "f16"}) {
        run_well("linear --weight " + type + " --in " + quoted("in.npz"));
        expect("y", oracle::linear(wide(in["x"]), stored(in["w"], type), 23, wide(in["bias"])), {5, 19});
    }
    in["w"] = random({19, 22}, -1, 1);
    write("in.npz", in);
    expect_refused(op("linear --in " + quoted("in.npz")), {path("in.npz"), "w has the shape"});
}

TEST_F(Op, FlagsOfOtherOpsAndUnknownValuesAreWrongCommandLines) {
    write("in.npz", {{"logits", random({4, 3}, -1, 1)}});
    for (const char *flags : {"--score top2", "--score ''", "--act silu", "--weight f32", "--nothing x"})
        EXPECT_EQ(op("router --in " + quoted("in.npz") + " " + flags).status, 2) << flags;
    Said said = op("router --in " + quoted("in.npz") + " --act silu");
    EXPECT_NE(said.err.find("--act"), std::string::npos) << said.err;
    EXPECT_NE(said.err.find("router"), std::string::npos) << said.err;
}

TEST_F(Op, HelpListsEveryOp) {
    std::string help = run("op --help").out;
    for (const char *name :
         {"selective_scan", "selective_state_update", "causal_conv1d", "causal_conv1d_update", "linear",
          "embedding", "add", "rms_norm", "layer_norm", "router", "expert_tiles", "expert_mlp", "sinkhorn"})
        EXPECT_NE(help.find(std::string(name) + ": "), std::string::npos) << name << " is not in: " << help;
    EXPECT_NE(help.find("--score sigmoid|softmax"), std::string::npos) << help;
    EXPECT_NE(help.find("logits [T,E] -> index"), std::string::npos) << help;
}

TEST_F(Op, ExpertMlp) {
    const int64_t T = 13, H = 18, F = 10, E = 3;
    std::vector<int64_t> index;
    for (int64_t t = 0; t < T; t++) index.push_back(t % 4 == 0 ? 2 : 0); // expert 1 has no token
    for (bool gated : {true, false}) {
        Values in = {{"x", random({T, H}, -1, 1)},
                     {"fc1", random({E, gated ? 2 * F : F, H}, -1, 1)},
                     {"fc2", random({E, H, F}, -1, 1)},
                     {"gate", random({T}, 0, 1)}};
        write("in.npz", in, index, "index");
        Said said = op("expert_mlp --in " + quoted("in.npz"));
        ASSERT_EQ(said.status, 0) << said.err;
        oracle::ExpertMlp o;
        o.width = H, o.hidden = F, o.experts = E, o.gated = gated, o.activation = oracle::Activation::silu;
        o.x = wide(in["x"]), o.fc1 = wide(in["fc1"]), o.fc2 = wide(in["fc2"]), o.gate = wide(in["gate"]);
        o.index.assign(index.begin(), index.end());
        expect("y", oracle::expert_mlp(o), {T, H});
        o.activation = oracle::Activation::gelu_erf;
        for (const std::string type : {"f32", "bf16", "f16"}) {
            o.fc1 = stored(in["fc1"], type), o.fc2 = stored(in["fc2"], type);
            run_well("expert_mlp --act gelu_erf --weight " + type + " --in " + quoted("in.npz"));
            expect("y", oracle::expert_mlp(o), {T, H});
        }
        index[0] = E;
        write("bad.npz", in, index, "index");
        expect_refused(op("expert_mlp --in " + quoted("bad.npz")), {path("bad.npz"), "index"});
        index[0] = 2;
    }
}

} // namespace
} // namespace ks::test
