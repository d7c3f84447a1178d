// SPDX-License-Identifier: Apache-2.0
// Interleaved timing of several ways to do one thing.
#pragma once
#include "runtime/base/clock.h"
#include <functional>
#include <string>
#include <vector>

namespace ks::bench {

double median(std::vector<double> values); // throws ks::Error for none

// run(i) does the work once; i counts up over all calls, so that it can pick another copy of the weights.
struct Variant {
    std::string name;
    std::function<void(int)> run;
    std::vector<double> seconds = {}; // of one call, once per round

    double median() const;
};

// Every round runs every variant, each round beginning with another one, so that a slow phase of the machine
// hits all of them.
class Race {
  public:
    explicit Race(std::function<double()> clock = seconds_now) : clock_(std::move(clock)) {}

    void add(std::string name, std::function<void(int)> run);
    // In each round a variant is repeated for at least `at_least` seconds.
    void measure(int rounds, double at_least);
    const Variant &operator[](const std::string &name) const; // throws ks::Error
    // How many times faster `a` is than `b`: median of the ratios round by round.
    double speed(const std::string &a, const std::string &b) const;
    // Of these, the one with the smallest median.
    const Variant &fastest(const std::vector<std::string> &names) const;

  private:
    std::function<double()> clock_;
    std::vector<Variant> variants_;
};

// Keeps this thread, and those it starts, on one core: the one it is on. Returns its number.
int pin_to_one_core();

} // namespace ks::bench
