// SPDX-License-Identifier: Apache-2.0
#include "autotune/surrogate.h"
#include <algorithm>
#include <cmath>

namespace ks::tune {

namespace {

// Prior variances in units of the noise: a value of one knob matters more than its meeting with another's.
constexpr double prior_bias = 1000, prior_value = 10, prior_pair = 2;
constexpr int most_features = 2000; // the covariance has the square of it: 32 MB

} // namespace

Surrogate::Surrogate(const Space &space) : knobs_(space.knobs()), pair_(knobs_.size()) {
    size_ = 1; // feature 0 is the bias
    std::vector<double> prior = {prior_bias};
    for (const auto &knob : knobs_) {
        first_.push_back(size_);
        size_ += static_cast<int>(knob.values.size());
        prior.resize(static_cast<size_t>(size_), prior_value);
    }
    for (size_t i = 0; i < knobs_.size(); i++) {
        pair_[i].resize(knobs_.size());
        for (size_t j = i + 1; j < knobs_.size(); j++) {
            int pairs = static_cast<int>(knobs_[i].values.size() * knobs_[j].values.size());
            pair_[i][j] = size_ + pairs <= most_features ? size_ : 0; // 0: not modelled
            if (pair_[i][j]) size_ += pairs;
        }
    }
    prior.resize(static_cast<size_t>(size_), prior_pair);
    size_t n = prior.size();
    covariance_.assign(n * n, 0);
    for (size_t i = 0; i < n; i++) covariance_[i * n + i] = prior[i];
    weights_.assign(n, 0);
}

Surrogate::Features Surrogate::features(const Knobs &knobs) const {
    std::vector<int> digit;
    Features x = {0};
    for (size_t i = 0; i < knobs_.size(); i++) {
        const auto &values = knobs_[i].values;
        auto at = std::find(values.begin(), values.end(), knobs_[i].of(knobs));
        digit.push_back(static_cast<int>(at - values.begin()));
        x.push_back(first_[i] + digit[i]);
    }
    for (size_t i = 0; i < knobs_.size(); i++)
        for (size_t j = i + 1; j < knobs_.size(); j++)
            if (pair_[i][j])
                x.push_back(pair_[i][j] + digit[i] * static_cast<int>(knobs_[j].values.size()) + digit[j]);
    return x;
}

void Surrogate::add(const Features &x, double y) {
    // Sherman-Morrison: the covariance after one more observation of unit noise.
    size_t n = weights_.size();
    std::vector<double> gain(n, 0);
    for (int f : x)
        for (size_t i = 0; i < n; i++) gain[i] += covariance_[static_cast<size_t>(f) * n + i];
    double variance = 1;
    for (int f : x) variance += gain[static_cast<size_t>(f)];
    for (size_t i = 0; i < n; i++) {
        double scale = gain[i] / variance;
        for (size_t j = 0; j < n; j++) covariance_[i * n + j] -= scale * gain[j];
    }
    seen_.push_back({x, y});
}

void Surrogate::fit(double ceiling) {
    size_t n = weights_.size();
    std::vector<double> sums(n, 0); // X'y
    for (const auto &o : seen_)
        for (int f : o.x) sums[static_cast<size_t>(f)] += std::min(o.y, ceiling);
    for (size_t i = 0; i < n; i++) {
        double w = 0;
        for (size_t j = 0; j < n; j++) w += covariance_[i * n + j] * sums[j];
        weights_[i] = w;
    }
}

double Surrogate::mean(const Features &x) const {
    double sum = 0;
    for (int f : x) sum += weights_[static_cast<size_t>(f)];
    return sum;
}

double Surrogate::doubt(const Features &x) const {
    double sum = 0;
    size_t n = weights_.size();
    for (int f : x)
        for (int g : x) sum += covariance_[static_cast<size_t>(f) * n + static_cast<size_t>(g)];
    return std::sqrt(std::max(sum, 0.0));
}

} // namespace ks::tune
