// SPDX-License-Identifier: Apache-2.0
// Interleaved timing of several ways to do one thing, and the rows that come out of it.
#pragma once
#include "runtime/base/aligned.h"
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ks::bench {

// One line of the table. `ours` and `rival_value` are medians in `unit`, `ratio` says how many times better
// ours is: the median of the ratios of each round. A rival that this machine lacks leaves `ratio` empty.
struct Row {
    std::string id, what, shape;
    std::optional<double> ours = {};
    std::string rival = {};
    std::optional<double> rival_value = {};
    std::string unit = {};
    std::optional<double> ratio = {};
    double goal = 0;
    std::string note = {};

    std::optional<bool> met() const;
};

// run(i) does the work once; i counts up over all calls, so that it can pick another copy of the weights.
struct Variant {
    std::string name;
    std::function<void(int)> run;
    std::vector<double> seconds = {}; // one per round

    double median() const;
};

// Every round runs every variant, each round beginning with another one, so that a slow phase of the machine
// hits all of them.
class Race {
  public:
    void add(std::string name, std::function<void(int)> run);
    // In each round a variant is repeated for at least `at_least` seconds.
    void measure(int rounds, double at_least);
    const Variant &operator[](const std::string &name) const; // throws ks::Error
    // How many times faster `a` is than `b`: median of the ratios round by round.
    double speed(const std::string &a, const std::string &b) const;
    // Of these, the one with the smallest median.
    const Variant &fastest(const std::vector<std::string> &names) const;

  private:
    std::vector<Variant> variants_;
};

double seconds_now(); // steady
double median(std::vector<double> values);

// Uniform in (-scale, scale), never zero; the same for the same seed.
void randomize(AlignedBytes &floats, unsigned seed, float scale);
// Throws ks::Error(who, ...) unless every |got - wanted| <= bound * max |wanted|.
void expect_close(const std::string &who, const std::vector<double> &got, const std::vector<double> &wanted,
                  double bound);

// Keeps this thread, and those it starts, on one core: the one it is on. Returns its number.
int pin_to_one_core();

} // namespace ks::bench
