// SPDX-License-Identifier: Apache-2.0
#include "bench/harness.h"
#include "runtime/base/error.h"
#include <algorithm>
#include <cmath>
#include <sched.h>

namespace ks::bench {

double median(std::vector<double> values) {
    if (values.empty()) throw Error("median", "of no values");
    std::sort(values.begin(), values.end());
    size_t half = values.size() / 2;
    return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double Variant::median() const { return bench::median(seconds); }

void Race::add(std::string name, std::function<void(int)> run) {
    variants_.push_back({std::move(name), std::move(run)});
}

void Race::measure(int rounds, double at_least) {
    int tick = 0;
    std::vector<int> repeats;
    for (Variant &v : variants_) {
        v.run(tick++); // warms up code and data
        double start = clock_();
        v.run(tick++);
        repeats.push_back(std::max(1, static_cast<int>(std::ceil(at_least / (clock_() - start)))));
    }
    for (int round = 0; round < rounds; round++)
        for (size_t j = 0; j < variants_.size(); j++) {
            size_t k = (j + static_cast<size_t>(round)) % variants_.size();
            double start = clock_();
            for (int i = 0; i < repeats[k]; i++) variants_[k].run(tick++);
            variants_[k].seconds.push_back((clock_() - start) / repeats[k]);
        }
}

const Variant &Race::operator[](const std::string &name) const {
    for (const Variant &v : variants_)
        if (v.name == name) return v;
    throw Error(name, "is not in this race");
}

const Variant &Race::fastest(const std::vector<std::string> &names) const {
    const Variant *best = &(*this)[names.at(0)];
    for (const std::string &name : names)
        if ((*this)[name].median() < best->median()) best = &(*this)[name];
    return *best;
}

double Race::speed(const std::string &a, const std::string &b) const {
    const std::vector<double> &ours = (*this)[a].seconds, &theirs = (*this)[b].seconds;
    std::vector<double> ratios;
    for (size_t i = 0; i < ours.size(); i++) ratios.push_back(theirs[i] / ours[i]);
    return bench::median(ratios);
}

int pin_to_one_core() {
    int core = sched_getcpu();
    cpu_set_t set;
    CPU_ZERO(&set);
    if (core >= 0) CPU_SET(static_cast<size_t>(core), &set);
    if (core < 0 || sched_setaffinity(0, sizeof set, &set))
        throw Error("sched_setaffinity", "cannot pin to a core");
    return core;
}

} // namespace ks::bench
