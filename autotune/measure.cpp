// SPDX-License-Identifier: Apache-2.0
#include "autotune/measure.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace ks::tune {

namespace {

constexpr int resamples = 2000;
constexpr double outside = 0.005;   // on either side of the interval
constexpr size_t fewest_rounds = 6; // fewer can't support an interval of 99 %: 2 * 0.5^n must be small

double none() { return std::numeric_limits<double>::quiet_NaN(); }

} // namespace

double median(std::vector<double> v) {
    if (v.empty()) return none();
    size_t half = v.size() / 2;
    std::nth_element(v.begin(), v.begin() + static_cast<long>(half), v.end());
    if (v.size() % 2) return v[half];
    return (v[half] + *std::max_element(v.begin(), v.begin() + static_cast<long>(half))) / 2;
}

double deviation(const std::vector<double> &v) {
    double centre = median(v);
    std::vector<double> away;
    for (double x : v) away.push_back(std::abs(x - centre));
    return median(away);
}

double geometric_mean(const std::vector<double> &v) {
    if (v.empty()) return none();
    double sum = 0;
    for (double x : v) sum += std::log(x);
    return std::exp(sum / static_cast<double>(v.size()));
}

std::vector<size_t> round_order(size_t count, int round) {
    std::vector<size_t> order(count);
    for (size_t i = 0; i < count; i++) order[i] = (i + static_cast<size_t>(round / 2)) % count;
    if (round % 2) std::reverse(order.begin(), order.end());
    return order;
}

std::vector<size_t> shuffled(size_t count, uint64_t seed) {
    std::mt19937_64 random(seed); // std's engines, unlike its distributions, are the same everywhere
    std::vector<size_t> order(count);
    for (size_t i = 0; i < count; i++) order[i] = i;
    for (size_t i = count; i-- > 1;) std::swap(order[i], order[random() % (i + 1)]);
    return order;
}

std::vector<std::vector<double>> interleave(size_t count, int rounds,
                                            const std::function<double(size_t)> &one) {
    std::vector<std::vector<double>> seconds(count);
    for (int round = 0; round < rounds; round++)
        for (size_t i : round_order(count, round)) seconds[i].push_back(one(i));
    return seconds;
}

Ratio ratio(const std::vector<double> &a, const std::vector<double> &b) {
    std::vector<double> paired;
    for (size_t i = 0; i < std::min(a.size(), b.size()); i++) paired.push_back(a[i] / b[i]);
    Ratio r{median(paired), 0, std::numeric_limits<double>::infinity()};
    if (paired.size() < fewest_rounds) return r;
    std::minstd_rand random(1);
    std::vector<double> medians, sample(paired.size());
    for (int i = 0; i < resamples; i++) {
        for (double &x : sample) x = paired[random() % paired.size()];
        medians.push_back(median(sample));
    }
    std::sort(medians.begin(), medians.end());
    size_t cut = static_cast<size_t>(outside * resamples);
    r.low = medians[cut], r.high = medians[medians.size() - 1 - cut];
    return r;
}

Verdict decide(const std::vector<std::vector<double>> &seconds, const std::vector<int> &complexity) {
    // The fastest against candidate 0, round by round, rather than by its own median: drift cancels.
    size_t fastest = 0;
    double best = 1;
    for (size_t i = 1; i < seconds.size(); i++)
        if (double r = ratio(seconds[i], seconds[0]).value; r < best) best = r, fastest = i;
    Verdict v{fastest, std::vector<bool>(seconds.size())};
    for (size_t i = 0; i < seconds.size(); i++) {
        v.tied[i] = i == fastest || ratio(seconds[i], seconds[fastest]).tie();
        if (v.tied[i] && complexity[i] < complexity[v.winner]) v.winner = i;
    }
    for (size_t i = 0; i < seconds.size(); i++) // of equals the lower index
        if (v.tied[i] && complexity[i] == complexity[v.winner]) return v.winner = i, v;
    return v;
}

std::vector<size_t> choose_finalists(const std::vector<std::vector<double>> &scores, size_t most) {
    std::vector<std::vector<std::pair<double, size_t>>> rankings(scores.at(0).size());
    for (size_t i = 1; i < scores.size(); i++)
        for (size_t column = 0; column < scores[i].size(); column++)
            rankings[column].emplace_back(scores[i][column], i);
    for (auto &r : rankings) std::sort(r.begin(), r.end());
    std::vector<size_t> chosen = {0};
    for (size_t rank = 0; rank < rankings[0].size(); rank++)
        for (const auto &r : rankings) {
            if (rank > 0 && chosen.size() > most) return chosen;
            if (std::find(chosen.begin(), chosen.end(), r[rank].second) == chosen.end())
                chosen.push_back(r[rank].second);
        }
    return chosen;
}

} // namespace ks::tune
