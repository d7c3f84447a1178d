// SPDX-License-Identifier: Apache-2.0
// Halide's own tools on our ops: ks_gengen builds every one, and RunGen runs the scan with its passes
// applied.
#include "runtime/base/error.h"
#include "schedules/halide_generator.h"
#include "tests/runtime/io/files.h"
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <gtest/gtest.h>

namespace ks::test {
namespace {

class HalideGenerator : public testing::Test {
  protected:
    bool shell(const std::string &command) {
        return std::system((command + " >'" + scratch_.path("said") + "' 2>&1").c_str()) == 0;
    }
    // ks_gengen writing object, header and registration of `op` under the name `as`.
    bool generate(const std::string &op, const std::string &as, const std::string &params) {
        return shell(std::string("'") + KS_BIN_DIR + "/ks_gengen' -g " + op + " -f " + as + " -o '" +
                     scratch_.path("") + "' -e object,c_header,registration target=host " + params);
    }
    std::string said() { return read_all(scratch_.path("said")); }
    ScratchFolder scratch_;
};

TEST_F(HalideGenerator, EveryOpGivesObjectAndHeader) {
    for (const std::string &op : HalideGenerators().enumerate()) {
        ASSERT_TRUE(generate(op, "made_" + op, "")) << op << ": " << said();
        std::string file = scratch_.path("made_" + op);
        EXPECT_GT(std::filesystem::file_size(file + ".o"), 1000u) << op;
        EXPECT_NE(read_all(file + ".h").find("int made_" + op + "("), std::string::npos) << op;
        EXPECT_NE(read_all(file + ".registration.cpp").find("made_" + op), std::string::npos) << op;
    }
}

TEST_F(HalideGenerator, ParametersAreTheContracts) {
    EXPECT_TRUE(generate("selective_scan", "scan", "io=bf16 N=16 group=4 steps=16")) << said();
    for (const char *wrong :
         {"io=f64", "N=257", "N=x", "T=8", "group=3", "channels=256 steps=32", "no_such=1"}) {
        EXPECT_FALSE(generate("selective_scan", "scan", wrong)) << wrong;
        std::string name = wrong;
        EXPECT_NE(said().find(name.substr(0, name.find('='))), std::string::npos) << wrong << ": " << said();
    }
}

TEST_F(HalideGenerator, KernelsForAGpuAreTheWorkOfKsc) {
    Halide::GeneratorContext context(Halide::Target("x86-64-linux-cuda"));
    try {
        HalideGenerators().create("selective_scan", context);
        ADD_FAILURE() << "expected an error";
    } catch (const Error &e) {
        EXPECT_NE(std::string(e.what()).find("ksc"), std::string::npos) << e.what();
    }
    EXPECT_EQ(HalideGenerators().create("no_such_op", context), nullptr);
}

// A name means one thing: GeneratorParams are looked up among choices, widths and knobs alike.
TEST_F(HalideGenerator, NamesOfParametersAreUnique) {
    Halide::Target target = kernel_target("avx2");
    for (const Op &op : all_ops()) {
        if (!op.has_schedule(target)) continue;
        std::vector<std::string> names = {"target", "autoscheduler"};
        for (const auto &choice : op.contract.choices) names.push_back(choice.first);
        for (const auto &dim : op.contract.dims) names.push_back(dim.name);
        Space space = op.space(base_specs(op, target).at(0), target);
        for (const auto &knob : space.knobs()) names.push_back(knob.name);
        std::sort(names.begin(), names.end());
        EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end()) << op.contract.name;
    }
}

// Without softplus, gate and skip, u = B = C = 1, dt = 1/2 and A = -1 (a decay of 2^-1/2 a step) the states
// are the same everywhere: y[t] = N h[t], h[t] = 2^-1/2 h[t-1] + 1/2.
TEST_F(HalideGenerator, RunGenRunsTheScan) {
    ASSERT_TRUE(generate("selective_scan", "scan", "io=f32 N=16")) << said();
    std::string tools = std::string(KS_HALIDE_DIR) + "/share/tools", rungen = scratch_.path("rungen");
    ASSERT_TRUE(shell(std::string(KS_CXX) + " -std=c++17 -DHALIDE_NO_PNG -DHALIDE_NO_JPEG -I'" +
                      KS_HALIDE_DIR + "/include' '" + tools + "/RunGenMain.cpp' '" +
                      scratch_.path("scan.registration.cpp") + "' '" + scratch_.path("scan.o") + "' -o '" +
                      rungen + "' -lpthread -ldl"))
        << said();
    const int D = 20, T = 37, N = 16;
    ASSERT_TRUE(shell(
        "'" + rungen +
        "' --output_extents=[20,37] u=constant:1:[20,37] dt=constant:0.5:[20,37] "
        "z=zero:[20,37] A=constant:-1:[20,16] B=constant:1:[16,37] C=constant:1:[16,37] D_skip=zero:[20] "
        "dt_bias=zero:[20] state=zero:[20,16] flags=0 y='" +
        scratch_.path("y.npy") + "'"))
        << said();
    std::string file = read_all(scratch_.path("y.npy"));
    ASSERT_GT(file.size(), D * T * sizeof(float));
    std::vector<float> y(D * T);
    std::memcpy(y.data(), file.data() + file.size() - y.size() * sizeof(float), y.size() * sizeof(float));
    double h = 0;
    for (int t = 0; t < T; t++) {
        h = std::exp2(-0.5) * h + 0.5;
        for (int d = 0; d < D; d++)
            ASSERT_NEAR(y[static_cast<size_t>(t * D + d)], N * h, 1e-4) << t << " " << d;
    }
}

} // namespace
} // namespace ks::test
