// SPDX-License-Identifier: Apache-2.0
// The form of linear for few rows: which specs have it, what it loads, what ptxas makes of points of its
// space.
#include "tests/support/few_rows.h"

namespace ks::test {
namespace {

// K, P 0: any; 8: any multiples of it.
FewRowsCase linear(const char *io, const char *weight, const char *out, int64_t K, int64_t P) {
    Spec s{{{"io", io}, {"weight", weight}, {"out", out}, {"panel", "1"}}, {}};
    if (K) (K == 8 ? s.multiples : s.fixed) = {{"K", K}, {"P", P}};
    return {"linear", s};
}

using LinearOfFewRows = FewRows;

TEST_P(LinearOfFewRows, PointsOfTheSpaceAreKernels) { expect_points_are_kernels(); }

INSTANTIATE_TEST_SUITE_P(
    Specs, LinearOfFewRows,
    testing::Values(linear("bf16", "bf16", "bf16", 1472, 5888), linear("bf16", "bf16", "bf16", 2944, 124),
                    linear("f16", "f16", "f16", 92, 2944), linear("bf16", "bf16", "f32", 2944, 1472),
                    linear("f32", "bf16", "f32", 1472, 5888), linear("f32", "f32", "f32", 1472, 1472),
                    linear("f32", "f16", "f32", 37, 41), linear("bf16", "bf16", "bf16", 0, 0),
                    linear("f16", "f16", "f32", 8, 8), linear("f32", "bf16", "f32", 8, 8),
                    linear("f32", "f32", "f32", 0, 0)));

using LinearInRows = FewRows;

// Rounds of 512 elements: 2.9 and 5.75. Two blocks of 512 threads.
TEST_P(LinearInRows, DefaultsLoadAllOfAVectorAtOnce) {
    Knobs k = space().with({{"form", "rows"}});
    ASSERT_TRUE(space().legal(k));
    expect_wide_loads(k, spec().fixed.at("K") == 1472 ? 9 : 18, 64);
}

INSTANTIATE_TEST_SUITE_P(Specs, LinearInRows,
                         testing::Values(linear("bf16", "bf16", "bf16", 1472, 5888),
                                         linear("bf16", "bf16", "bf16", 2944, 1472),
                                         linear("f16", "f16", "f16", 2944, 124)));

using LinearInRowsOfAnyLength = FewRows;

// Some rounds without a loop between them and the loop over what is left, of a vector of x for each row, or
// of mma for eight, and of w for each row, of mma two.
TEST_P(LinearInRowsOfAnyLength, LoadAllOfAVectorAtOnce) {
    const Spec base{spec().choices, {}};
    const UsualKernel few = usual_kernels(op_named("linear"), base, kernel_target("cuda")).at(0);
    ASSERT_EQ(few.spec.text(), spec().text());
    ASSERT_EQ(few.knobs["form"], "rows");
    const bool mma = few.knobs["row_unit"] == "mma", half = spec().choice("weight") != "f32";
    expect_wide_loads(few.knobs,
                      (few.knobs.integer("unroll") + 1) * (mma    ? 3
                                                           : half ? 5
                                                                  : 3),
                      mma ? 64 : 128);
}

INSTANTIATE_TEST_SUITE_P(Specs, LinearInRowsOfAnyLength,
                         testing::Values(linear("bf16", "bf16", "bf16", 8, 8),
                                         linear("f16", "f16", "f32", 8, 8),
                                         linear("f32", "bf16", "f32", 8, 8),
                                         linear("f32", "f32", "f32", 8, 8)));

} // namespace
} // namespace ks::test
