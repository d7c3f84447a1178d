// SPDX-License-Identifier: Apache-2.0
// The C interface: every broken contract is a status before a kernel runs; legal views, sequences and
// threads.
#include "kingsnake/ops.h"
#include "runtime/base/cpu.h"
#include <cmath>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

using Library = std::unique_ptr<ks_library, void (*)(ks_library *)>;

Library library(int threads = 1, const char *isa = nullptr) {
    ks_create_args a{sizeof a, threads, isa, 0};
    ks_library *l = nullptr;
    EXPECT_EQ(ks_create(&a, &l), KS_OK) << ks_last_error();
    return {l, ks_destroy};
}

TEST(Create, Violations) {
    ks_library *l = nullptr;
    ks_create_args a{sizeof a, 1, nullptr, 0};
    EXPECT_EQ(ks_create(nullptr, &l), KS_ERROR_NULL);
    EXPECT_EQ(ks_create(&a, nullptr), KS_ERROR_NULL);
    a.size = 4;
    EXPECT_EQ(ks_create(&a, &l), KS_ERROR_STRUCT_SIZE);
    a = {sizeof a, -1, nullptr, 0};
    EXPECT_EQ(ks_create(&a, &l), KS_ERROR_RANGE);
    a = {sizeof a, 1, nullptr, 1};
    EXPECT_EQ(ks_create(&a, &l), KS_ERROR_RANGE); // a device is of a GPU
    a = {sizeof a, 1, "cuda", -1};
    EXPECT_EQ(ks_create(&a, &l), KS_ERROR_RANGE);
    a = {sizeof a, 1, "sse2", 0};
    EXPECT_EQ(ks_create(&a, &l), KS_ERROR_UNSUPPORTED_CPU);
    EXPECT_NE(std::string(ks_last_error()).find("sse2"), std::string::npos);
    EXPECT_EQ(l, nullptr);
}

// A legal scan over T steps of two sequences; tests break one thing at a time.
struct Scan {
    int64_t T = 10, D = 20, N = 4, S = 2;
    std::vector<float> u, dt, z, A, B, C, skip, bias, state, y;
    std::vector<int64_t> starts = {0, 3, 10};
    ks_selective_scan_args a{};

    Scan() {
        auto fill = [](std::vector<float> &v, int64_t n, float scale, float offset) {
            v.resize(static_cast<size_t>(n));
            for (size_t i = 0; i < v.size(); i++)
                v[i] = offset + scale * std::sin(static_cast<float>(i) * 1.7f + scale);
        };
        fill(u, T * D, 1, 0), fill(dt, T * D, 1, -2), fill(z, T * D, 1.1f, 0), fill(A, N * D, 0.5f, -1);
        fill(B, T * N, 1.2f, 0), fill(C, T * N, 1.3f, 0), fill(skip, D, 1, 0), fill(bias, D, 0.1f, 0);
        fill(state, S * N * D, 0.4f, 0), fill(y, T * D, 0, 0);
        a.size = sizeof a;
        a.T = T, a.D = D, a.N = N, a.sequences = S, a.seq_start = starts.data();
        a.u = u.data(), a.dt = dt.data(), a.z = z.data(), a.A = A.data(), a.B = B.data(), a.C = C.data();
        a.D_skip = skip.data(), a.dt_bias = bias.data(), a.state = state.data(), a.y = y.data(), a.flags = 8;
    }
    ks_status run(ks_library *l) {
        EXPECT_EQ(ks_selective_scan_supported(l, &a), ks_selective_scan(l, &a));
        return ks_selective_scan(l, &a);
    }
};

TEST(Launch, LegalCallRuns) { EXPECT_EQ(Scan().run(library().get()), KS_OK) << ks_last_error(); }

struct Violation {
    const char *name;
    ks_status status;
    void (*breaks)(Scan &);
};

class Violations : public testing::TestWithParam<Violation> {};

TEST_P(Violations, HasItsStatusAndRunsNothing) {
    Scan s;
    auto before = s.state;
    GetParam().breaks(s);
    EXPECT_EQ(s.run(library().get()), GetParam().status);
    EXPECT_NE(std::string(ks_last_error()).find("selective_scan"), std::string::npos) << ks_last_error();
    EXPECT_EQ(s.state, before);
}

INSTANTIATE_TEST_SUITE_P(
    Scan, Violations,
    testing::Values(
        Violation{"size", KS_ERROR_STRUCT_SIZE, [](Scan &s) { s.a.size -= 8; }},
        Violation{"null_input", KS_ERROR_NULL, [](Scan &s) { s.a.u = nullptr; }},
        Violation{"null_output", KS_ERROR_NULL, [](Scan &s) { s.a.y = nullptr; }},
        Violation{"null_state", KS_ERROR_NULL, [](Scan &s) { s.a.state = nullptr; }},
        Violation{"zero_steps", KS_ERROR_RANGE, [](Scan &s) { s.a.T = 0; }},
        Violation{"negative_width", KS_ERROR_RANGE, [](Scan &s) { s.a.D = -1; }},
        Violation{"too_many_states", KS_ERROR_RANGE, [](Scan &s) { s.a.N = 257; }},
        Violation{"unknown_storage", KS_ERROR_RANGE, [](Scan &s) { s.a.io = 3; }},
        Violation{"negative_storage", KS_ERROR_RANGE, [](Scan &s) { s.a.io = -1; }},
        Violation{"no_sequences", KS_ERROR_RANGE, [](Scan &s) { s.a.sequences = 0; }},
        Violation{"more_sequences_than_steps", KS_ERROR_RANGE,
                  [](Scan &s) { s.a.sequences = int64_t{1} << 40; }},
        Violation{"equal_sequences_that_do_not_fit", KS_ERROR_RANGE,
                  [](Scan &s) { s.a.seq_start = nullptr, s.a.sequences = 3; }},
        Violation{"offsets_begin", KS_ERROR_RANGE, [](Scan &s) { s.starts[0] = 1; }},
        Violation{"offsets_end", KS_ERROR_RANGE, [](Scan &s) { s.starts[2] = 9; }},
        Violation{"offsets_fall", KS_ERROR_RANGE, [](Scan &s) { s.starts[1] = 0; }},
        Violation{"short_stride", KS_ERROR_STRIDE, [](Scan &s) { s.a.u_stride = s.D - 1; }},
        Violation{"negative_stride", KS_ERROR_STRIDE, [](Scan &s) { s.a.y_stride = -s.D; }},
        Violation{"huge_stride", KS_ERROR_RANGE, [](Scan &s) { s.a.u_stride = int64_t{1} << 31; }},
        Violation{"stride_that_wraps", KS_ERROR_RANGE, [](Scan &s) { s.a.u_stride = int64_t{1} << 62; }},
        Violation{"alignment", KS_ERROR_ALIGNMENT,
                  [](Scan &s) { s.a.u = reinterpret_cast<const char *>(s.a.u) + 2; }},
        Violation{"output_is_input", KS_ERROR_OVERLAP, [](Scan &s) { s.a.y = s.u.data(); }},
        Violation{"output_touches_state", KS_ERROR_OVERLAP,
                  [](Scan &s) { s.a.state = s.y.data() + s.T * s.D - 1; }},
        Violation{"state_is_decay", KS_ERROR_OVERLAP, [](Scan &s) { s.a.state = s.A.data(); }}),
    [](const auto &test) { return std::string(test.param.name); });

TEST(Launch, EqualSequencesNeedNoOffsets) {
    Scan given, implied;
    given.starts[1] = 5;
    implied.a.seq_start = nullptr;
    ASSERT_EQ(ks_selective_scan(library().get(), &given.a), KS_OK) << ks_last_error();
    ASSERT_EQ(ks_selective_scan(library().get(), &implied.a), KS_OK) << ks_last_error();
    EXPECT_EQ(given.y, implied.y);
    EXPECT_EQ(given.state, implied.state);
}

TEST(Launch, NullLibraryAndArguments) {
    Scan s;
    EXPECT_EQ(ks_selective_scan(nullptr, &s.a), KS_ERROR_NULL);
    EXPECT_EQ(ks_selective_scan(library().get(), nullptr), KS_ERROR_NULL);
}

TEST(Launch, SequencesDoNotSeeEachOther) {
    auto l = library(2);
    Scan both;
    std::vector<float> state = both.state;
    ASSERT_EQ(both.run(l.get()) /* runs twice: compare from a fresh state below */, KS_OK);
    both.state = state;
    ASSERT_EQ(ks_selective_scan(l.get(), &both.a), KS_OK);
    for (int s = 0; s < 2; s++) {
        Scan one;
        int64_t first = both.starts[static_cast<size_t>(s)],
                steps = both.starts[static_cast<size_t>(s) + 1] - first;
        one.a.T = steps, one.a.sequences = 1, one.a.seq_start = nullptr;
        one.a.u = one.u.data() + first * one.D, one.a.dt = one.dt.data() + first * one.D,
        one.a.z = one.z.data() + first * one.D;
        one.a.B = one.B.data() + first * one.N, one.a.C = one.C.data() + first * one.N;
        one.a.state = one.state.data() + s * one.N * one.D;
        ASSERT_EQ(ks_selective_scan(l.get(), &one.a), KS_OK);
        for (int64_t i = 0; i < steps * one.D; i++)
            ASSERT_EQ(one.y[static_cast<size_t>(i)], both.y[static_cast<size_t>(first * one.D + i)])
                << "sequence " << s;
        for (int64_t i = s * one.N * one.D; i < (s + 1) * one.N * one.D; i++)
            ASSERT_EQ(one.state[static_cast<size_t>(i)], both.state[static_cast<size_t>(i)]);
    }
}

TEST(Launch, ThreadsChangeNothing) {
    std::vector<float> y[3];
    for (int threads : {1, 2, 3}) {
        Scan s;
        ASSERT_EQ(ks_selective_scan(library(threads).get(), &s.a), KS_OK);
        y[threads - 1] = s.y;
    }
    EXPECT_EQ(y[0], y[1]);
    EXPECT_EQ(y[0], y[2]);
}

TEST(Launch, CallersAtOnceGetTheirOwnResults) {
    auto l = library(2);
    Scan alone;
    ASSERT_EQ(ks_selective_scan(l.get(), &alone.a), KS_OK);
    std::vector<std::thread> callers;
    for (int c = 0; c < 3; c++)
        callers.emplace_back([&] {
            for (int i = 0; i < 200; i++) {
                Scan mine;
                EXPECT_EQ(ks_selective_scan(l.get(), &mine.a), KS_OK);
                EXPECT_EQ(mine.y, alone.y);
                mine.a.u = nullptr; // errors are per thread
                EXPECT_EQ(ks_selective_scan(l.get(), &mine.a), KS_ERROR_NULL);
                EXPECT_STREQ(ks_last_error(), "selective_scan.u is null");
            }
        });
    for (auto &c : callers) c.join();
}

TEST(Launch, HalvesOfOneBufferAreLegal) {
    auto l = library();
    Scan dense, view;
    ASSERT_EQ(ks_selective_scan(l.get(), &dense.a), KS_OK);
    std::vector<float> xz(static_cast<size_t>(view.T * 3 * view.D)); // u | z | y side by side
    for (int64_t t = 0; t < view.T; t++)
        for (int64_t d = 0; d < view.D; d++) {
            xz[static_cast<size_t>(t * 3 * view.D + d)] = view.u[static_cast<size_t>(t * view.D + d)];
            xz[static_cast<size_t>(t * 3 * view.D + view.D + d)] =
                view.z[static_cast<size_t>(t * view.D + d)];
        }
    view.a.u = xz.data(), view.a.z = xz.data() + view.D, view.a.y = xz.data() + 2 * view.D;
    view.a.u_stride = view.a.z_stride = view.a.y_stride = 3 * view.D;
    ASSERT_EQ(ks_selective_scan(l.get(), &view.a), KS_OK) << ks_last_error();
    for (int64_t t = 0; t < view.T; t++)
        for (int64_t d = 0; d < view.D; d++)
            ASSERT_EQ(xz[static_cast<size_t>(t * 3 * view.D + 2 * view.D + d)],
                      dense.y[static_cast<size_t>(t * view.D + d)]);
}

// add: y may be exactly a. Rows have a gap, which stays as it was.
struct Sum {
    int64_t T = 67, H = 45, stride = 48;
    std::vector<float> a, b;
    ks_add_args args{};

    Sum() : a(static_cast<size_t>(T * stride) + 8), b(a.size()) {
        for (size_t i = 0; i < a.size(); i++)
            a[i] = static_cast<float>(i), b[i] = 0.5f + static_cast<float>(i % 7);
        args.size = sizeof args;
        args.T = T, args.H = H, args.a_stride = args.b_stride = args.y_stride = stride;
        args.a = args.y = a.data(), args.b = b.data();
    }
};

TEST(Launch, SumMayTakeThePlaceOfItsFirstTerm) {
    for (const char *isa : {"avx2", "avx512"}) {
        if (!ks::cpu_has(isa)) continue;
        for (int threads : {1, 3}) {
            Sum s;
            std::vector<float> wanted = s.a;
            for (int64_t t = 0; t < s.T; t++)
                for (int64_t h = 0; h < s.H; h++)
                    wanted[static_cast<size_t>(t * s.stride + h)] +=
                        s.b[static_cast<size_t>(t * s.stride + h)];
            ASSERT_EQ(ks_add(library(threads, isa).get(), &s.args), KS_OK) << ks_last_error();
            EXPECT_EQ(s.a, wanted) << isa << ", " << threads << " threads";
        }
    }
}

TEST(Launch, AnyOtherOverlapOfASumIsRefused) {
    const std::vector<std::pair<const char *, void (*)(Sum &)>> overlaps = {
        {"one element on", [](Sum &s) { s.args.y = s.a.data() + 1; }},
        {"one row on", [](Sum &s) { s.args.y = s.a.data() + s.stride; }},
        {"another stride", [](Sum &s) { s.args.y_stride = s.H; }},
        {"the second term", [](Sum &s) { s.args.y = s.b.data(); }},
        {"both terms", [](Sum &s) { s.args.b = s.a.data(); }},
        {"the first, and part of the second", [](Sum &s) { s.args.b = s.a.data() + 1; }}};
    auto l = library();
    for (const auto &[what, make] : overlaps) {
        Sum s;
        std::vector<float> a = s.a, b = s.b;
        make(s);
        EXPECT_EQ(ks_add(l.get(), &s.args), KS_ERROR_OVERLAP) << what;
        EXPECT_EQ(std::string(ks_last_error()).rfind("add.y overlaps ", 0), 0u) << ks_last_error();
        EXPECT_EQ(s.a, a) << what;
        EXPECT_EQ(s.b, b) << what;
    }
}

TEST(Launch, MissingOptionalOperandsCount) {
    auto l = library();
    Scan with, without;
    std::fill(with.skip.begin(), with.skip.end(), 0.f);
    std::fill(with.bias.begin(), with.bias.end(), 0.f);
    without.a.D_skip = nullptr, without.a.dt_bias = nullptr;
    ASSERT_EQ(ks_selective_scan(l.get(), &with.a), KS_OK);
    ASSERT_EQ(ks_selective_scan(l.get(), &without.a), KS_OK);
    EXPECT_EQ(with.y, without.y);
    Scan ungated;
    ungated.a.z = nullptr;
    ASSERT_EQ(ks_selective_scan(l.get(), &ungated.a), KS_OK);
    EXPECT_NE(ungated.y, with.y);
}

TEST(Launch, BothInstructionSetsAgree) {
    if (!ks::cpu_has("avx512")) GTEST_SKIP() << "this CPU has no AVX-512";
    Scan narrow, wide;
    ASSERT_EQ(ks_selective_scan(library(1, "avx2").get(), &narrow.a), KS_OK);
    ASSERT_EQ(ks_selective_scan(library(1, "avx512").get(), &wide.a), KS_OK);
    for (size_t i = 0; i < wide.y.size(); i++) EXPECT_NEAR(narrow.y[i], wide.y[i], 1e-5f);
}

TEST(Launch, NoKernelForAPanelOfAnotherIsa) {
    auto l = library(1, "avx2");
    std::vector<float> x(4), w(4 * 64), y(64);
    ks_linear_args a{};
    a.size = sizeof a;
    a.M = 1, a.K = 4, a.P = 1, a.panel = KS_LINEAR_PANEL_64;
    a.x = x.data(), a.w = w.data(), a.y = y.data();
    EXPECT_EQ(ks_linear(l.get(), &a), KS_ERROR_NO_KERNEL);
}

} // namespace
