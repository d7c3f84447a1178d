// SPDX-License-Identifier: Apache-2.0
// Parts put together are what the oracle says of the whole, to the bit.
#include "autotune/cases/oracle_parts.h"
#include "autotune/cases/values.h"
#include "tests/oracles/linear.h"
#include <cmath>
#include <gtest/gtest.h>

namespace ks::cases {
namespace {

TEST(OracleParts, ColumnsOfAProduct) {
    for (size_t N : {1, 31, 32, 33, 100}) {
        std::vector<double> x = normal(3 * 7, 1), w = normal(N * 7, 2), bias = normal(N, 3);
        EXPECT_EQ(linear_in_parts(x, w, 7), oracle::linear(x, w, 7)) << N;
        EXPECT_EQ(linear_in_parts(x, w, 7, bias), oracle::linear(x, w, 7, bias)) << N;
    }
}

oracle::SelectiveScan scan(size_t rows, size_t D, size_t N, size_t S, bool optional) {
    oracle::SelectiveScan a;
    a.channels = static_cast<int>(D), a.states = static_cast<int>(N);
    a.u = normal(rows * D, 1), a.dt = normal(rows * D, 2);
    a.A = normal(D * N, 3);
    for (double &v : a.A) v = -std::fabs(v);
    a.B = normal(rows * N, 4), a.C = normal(rows * N, 5), a.h = normal(S * D * N, 6);
    if (optional) a.D = normal(D, 7), a.z = normal(rows * D, 8), a.dt_bias = normal(D, 9);
    return a;
}

TEST(OracleParts, ChannelsOfAScan) {
    for (size_t D : {1, 32, 45, 70})
        for (bool optional : {false, true}) {
            oracle::SelectiveScan parts = scan(9, D, 4, 3, optional);
            parts.seq_start = {0, 2, 2, 9};
            oracle::SelectiveScan whole = parts;
            EXPECT_EQ(scan_in_parts(parts, false), oracle::selective_scan(whole)) << D;
            EXPECT_EQ(parts.h, whole.h) << D;
        }
}

TEST(OracleParts, ChannelsOfAStateUpdate) {
    oracle::SelectiveScan parts = scan(5, 70, 4, 5, true), whole = parts;
    EXPECT_EQ(scan_in_parts(parts, true), oracle::selective_state_update(whole));
    EXPECT_EQ(parts.h, whole.h);
}

} // namespace
} // namespace ks::cases
