// SPDX-License-Identifier: Apache-2.0
// A cheap model of a schedule space: log(seconds) as a sum of effects of knob values and of pairs of them,
// with the uncertainty of each prediction (Bayesian linear regression). Fits in microseconds, needs no tuning
// of its own.
#pragma once
#include "schedules/space.h"
#include <vector>

namespace ks::tune {

class Surrogate {
  public:
    explicit Surrogate(const Space &space);

    using Features = std::vector<int>; // indices of those that are 1
    Features features(const Knobs &knobs) const;

    void add(const Features &x, double y); // one observation; O(features^2)
    void fit(double ceiling); // weights from all observations, those above `ceiling` counted as it: only the
                              // good part of a space has to be modelled well
    double mean(const Features &x) const;
    double doubt(const Features &x) const; // standard deviation in units of the noise

  private:
    struct Observation {
        Features x;
        double y;
    };
    std::vector<Knob> knobs_;
    std::vector<int> first_;             // feature of the first value of each knob
    std::vector<std::vector<int>> pair_; // feature of the first pair of values of knobs [i][j], i < j
    int size_ = 0;
    std::vector<double> covariance_; // [size][size], symmetric
    std::vector<double> weights_;
    std::vector<Observation> seen_;
};

} // namespace ks::tune
