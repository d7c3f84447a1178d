// SPDX-License-Identifier: Apache-2.0
// Which kernel of a pack serves a call: the most special whose sizes it has and, on a GPU, whose rows.
#include "runtime/base/cpu.h"
#include "tests/runtime/kernels/planted/planted_pack.h"

namespace ks::test {
namespace {

class Choice : public Planted {
  protected:
    // The kernel of a call with rows and addresses at multiples of 32 bytes but for what `change` makes of
    // it.
    static std::string of(const char *isa, int64_t D, const std::function<void(PlantedArgs &)> &change = {},
                          int device = 0) {
        static const Library gpus[] = {library("cuda", 0), library("cuda", 1)}, cpu = library("avx2");
        alignas(32) static char memory[4][1 << 16];
        PlantedArgs a;
        a.D = D, a.u_stride = a.y_stride = (D + 15) / 16 * 16;
        a.u = memory[0], a.y = memory[3];
        a.A = reinterpret_cast<float *>(memory[1]), a.state = reinterpret_cast<float *>(memory[2]);
        if (change) change(a);
        planted_ran = "none";
        const ks_library *l = std::string(isa) == "cuda" ? gpus[device].get() : cpu.get();
        ks_status status = launch(l, 0, &a);
        EXPECT_EQ(supported(l, 0, &a), status);
        EXPECT_EQ(status == KS_OK, planted_ran != "none") << ks_last_error();
        return planted_ran;
    }
};

template <typename T>
void move(T &pointer, int bytes) {
    pointer = reinterpret_cast<T>(reinterpret_cast<intptr_t>(pointer) + bytes);
}

TEST_F(Choice, UsualKernelsServeMultiples) {
    for (int64_t D : {8, 24, 32, 488}) EXPECT_EQ(of("cuda", D), "usual") << D;
    for (int64_t D : {1, 4, 7, 12, 20, 25}) EXPECT_EQ(of("cuda", D), "base") << D;
    EXPECT_EQ(of("cuda", 24, [](auto &a) { a.N = 15; }), "base");
}

TEST_F(Choice, TunedKernelsComeFirst) {
    EXPECT_EQ(of("cuda", 16), "tuned");
    EXPECT_EQ(of("cuda", 16, [](auto &a) { a.N = 8; }), "base");
}

// The stub's devices have compute capability 9.0 and 8.0.
TEST_F(Choice, KernelsServeTheArchitectureWhoseInstructionsTheyHave) {
    EXPECT_EQ(of("cuda", 128), "hopper");
    EXPECT_EQ(of("cuda", 128, {}, 1), "usual");
    EXPECT_EQ(of("cuda", 16, {}, 1), "tuned");
    EXPECT_EQ(of("cuda", 128, [](auto &a) { a.u_stride += 4; }), "base");
}

TEST_F(Choice, OnAGpuOnlyBaseKernelsServeWhatIsNotAligned) {
    for (int64_t D : {16, 24}) {
        EXPECT_EQ(of("cuda", D, [](auto &a) { move(a.u, 8); }), "base");
        EXPECT_EQ(of("cuda", D, [](auto &a) { move(a.A, 4); }), "base");
        EXPECT_EQ(of("cuda", D, [](auto &a) { move(a.state, 8); }), "base");
        EXPECT_EQ(of("cuda", D, [](auto &a) { move(a.y, 2); }), "base");
        EXPECT_EQ(of("cuda", D, [](auto &a) { move(a.y, 16); }), D == 16 ? "tuned" : "usual");
        EXPECT_EQ(of("cuda", D, [](auto &a) { a.u_stride += 4; }), "base");
        EXPECT_EQ(of("cuda", D, [](auto &a) { a.u_stride += 8; }), D == 16 ? "tuned" : "usual");
    }
}

TEST_F(Choice, OnACpuAlignmentIsNoMatter) {
    if (!cpu_has("avx2")) GTEST_SKIP() << "this CPU has no avx2";
    EXPECT_EQ(of("avx2", 16, [](auto &a) { move(a.u, 2); }), "tuned");
    EXPECT_EQ(of("avx2", 24, [](auto &a) { a.u_stride += 1; }), "usual");
    EXPECT_EQ(of("avx2", 12), "base");
}

TEST_F(Choice, WithoutAKernelNothingRuns) {
    EXPECT_EQ(of("cuda", 16, [](auto &a) { a.io = 1; }), "none");
    EXPECT_STREQ(ks_last_error(), "planted: the pack has no kernel for cuda with these choices");
}

} // namespace
} // namespace ks::test
