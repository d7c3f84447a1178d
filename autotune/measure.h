// SPDX-License-Identifier: Apache-2.0
// Statistics of measurement: robust location and spread, the order of interleaved rounds, and who won or
// tied.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

namespace ks::tune {

double median(std::vector<double> values);                // NaN for none
double deviation(const std::vector<double> &values);      // median absolute deviation from the median
double geometric_mean(const std::vector<double> &values); // NaN for none

// Order of `count` candidates in round `round`: rotated by one each pair of rounds and reversed every second,
// so that drift, heating and the cache left by the predecessor hit all alike.
std::vector<size_t> round_order(size_t count, int round);

// All of `count` in an order that depends on the seed alone.
std::vector<size_t> shuffled(size_t count, uint64_t seed);

// Runs one(candidate) -> seconds in that order; returns [candidate][round].
std::vector<std::vector<double>> interleave(size_t count, int rounds,
                                            const std::function<double(size_t)> &one);

struct Ratio {
    double value = 1, low = 1, high = 1; // median of a/b over rounds, and its 99 % bootstrap interval
    bool tie() const { return low <= 1 && 1 <= high; }
    bool faster() const { return high < 1; } // a takes less time than b, beyond doubt
};

// Of paired samples: round i of both was measured back to back. Deterministic; needs at least 6 rounds to
// call anything but a tie.
Ratio ratio(const std::vector<double> &a, const std::vector<double> &b);

struct Verdict {
    size_t winner = 0;
    std::vector<bool> tied; // with the fastest, the fastest included
};

// seconds[candidate][round]; complexity[candidate]: among those that tie with the fastest the smallest wins,
// then the lower index.
Verdict decide(const std::vector<std::vector<double>> &seconds, const std::vector<int> &complexity);

// Who goes to the final rounds, the default (candidate 0) first: the best of every column of
// scores[candidate][column], of which less is better, then round-robin from its top as long as there are
// fewer than `most` beside the default. Without scores a candidate is left out.
std::vector<size_t> choose_finalists(const std::vector<std::vector<double>> &scores, size_t most);

} // namespace ks::tune
