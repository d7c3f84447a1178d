// SPDX-License-Identifier: Apache-2.0
#include "autotune/cases/oracle_parts.h"
#include "autotune/cases/values.h"
#include "tests/oracles/linear.h"
#include <algorithm>

namespace ks::cases {

namespace {

using Values = std::vector<double>;
constexpr size_t part_columns = 32;

// Columns first, ..., end - 1 of a matrix `width` wide; of none none.
Values columns(const Values &m, size_t width, size_t first, size_t end) {
    Values part;
    part.reserve(m.size() / width * (end - first));
    for (size_t row = 0; row + width <= m.size(); row += width)
        for (size_t i = first; i < end; i++) part.push_back(m[row + i]);
    return part;
}

void put_columns(Values &m, size_t width, size_t first, size_t end, const Values &part) {
    auto from = part.begin();
    for (size_t row = 0; row + width <= m.size(); row += width)
        for (size_t i = first; i < end; i++) m[row + i] = *from++;
}

} // namespace

Values linear_in_parts(const Values &x, const Values &weight, int K, const Values &bias) {
    auto width = static_cast<size_t>(K);
    size_t N = weight.size() / width;
    Values y(x.size() / width * N);
    in_blocks(N, part_columns, [&](size_t first, size_t end) {
        auto row = [&](size_t n) { return weight.begin() + static_cast<std::ptrdiff_t>(n * width); };
        Values part = oracle::linear(x, Values(row(first), row(end)), K,
                                     bias.empty() ? bias : columns(bias, N, first, end));
        put_columns(y, N, first, end, part);
    });
    return y;
}

Values scan_in_parts(oracle::SelectiveScan &args, bool update) {
    auto D = static_cast<size_t>(args.channels), N = static_cast<size_t>(args.states);
    Values y(args.u.size());
    in_blocks(D, part_columns, [&](size_t first, size_t end) {
        oracle::SelectiveScan part;
        part.channels = static_cast<int>(end - first);
        part.states = args.states, part.softplus = args.softplus, part.seq_start = args.seq_start;
        part.B = args.B, part.C = args.C;
        for (auto member : {&oracle::SelectiveScan::u, &oracle::SelectiveScan::dt, &oracle::SelectiveScan::D,
                            &oracle::SelectiveScan::z, &oracle::SelectiveScan::dt_bias})
            part.*member = columns(args.*member, D, first, end);
        part.A = columns(args.A, D * N, first * N, end * N);
        part.h = columns(args.h, D * N, first * N, end * N);
        put_columns(y, D, first, end,
                    update ? oracle::selective_state_update(part) : oracle::selective_scan(part));
        put_columns(args.h, D * N, first * N, end * N, part.h);
    });
    return y;
}

} // namespace ks::cases
