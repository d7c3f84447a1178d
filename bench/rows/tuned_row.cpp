// SPDX-License-Identifier: Apache-2.0
// What tuning won on this machine, from the interleaved final rounds that the tuner keeps as evidence.
#include "autotune/ceiling.h"
#include "autotune/dispatch.h"
#include "autotune/verbs.h"
#include "bench/rows/rows.h"
#include "runtime/base/cpu.h"
#include "schedules/registry.h"
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>

namespace ks::bench {

namespace {

// Those that a pack takes: rules for another version of their op are left out of it.
std::vector<tune::Rule> rules_of(const std::string &isa) {
    std::string path = tune::default_places().table();
    if (!std::filesystem::exists(path)) return {};
    std::vector<tune::Rule> rules;
    for (const tune::Rule &r : tune::load_table(path).rules)
        if (isa_runs(isa, r.isa) && r.op_version == op_named(r.op).contract.version) rules.push_back(r);
    return rules;
}

// Speeds, best last.
struct Speeds {
    std::vector<double> sorted;

    explicit Speeds(std::vector<double> values) : sorted(std::move(values)) {
        std::sort(sorted.begin(), sorted.end());
    }
    double mean() const { // geometric
        double logs = 0;
        for (double s : sorted) logs += std::log(s);
        return std::exp(logs / static_cast<double>(sorted.size()));
    }
};

std::string shape_of(const std::vector<tune::Rule> &rules, const Speeds &speeds) {
    return fmt::format("{} rules, {} shapes", rules.size(), speeds.sorted.size());
}

std::string nothing_tuned(const Context &c) {
    return fmt::format("nothing is tuned for {} on this machine: run build/bin/ksc tune; {}",
                       ks_isa(&c.library), c.machine);
}

std::string peaks_of(const tune::Ceiling &ceiling) {
    std::string pairs = ceiling.pair_flops > 0
                            ? fmt::format("{:.0f} GFLOP/s of bf16 pairs, ", ceiling.pair_flops * 1e-9)
                            : "";
    return fmt::format("{:.0f} GFLOP/s, {}{:.0f} GB/s", ceiling.flops * 1e-9, pairs,
                       ceiling.cached_bytes() * 1e-9);
}

} // namespace

Row tuned_row(const Context &c) {
    Row row{"", "tuned kernels, the slowest against the default", ""};
    row.rival = "default schedule";
    row.unit = "x";
    row.goal = 1;
    std::vector<tune::Rule> rules = rules_of(ks_isa(&c.library));
    std::vector<double> found;
    for (const tune::Rule &r : rules)
        for (const tune::Evidence &e : r.evidence) // an interval that holds 1 is a tie
            found.push_back(e.low <= 1 && 1 <= e.high ? 1 : 1 / e.ratio);
    if (found.empty()) {
        row.note = nothing_tuned(c);
        return row;
    }
    Speeds speeds(found);
    row.shape = shape_of(rules, speeds);
    row.ours = row.ratio = speeds.sorted.front();
    row.rival_value = 1;
    row.note = fmt::format("geometric mean {:.3f}, best {:.3f}; ksc show lists them; {}", speeds.mean(),
                           speeds.sorted.back(), c.machine);
    return row;
}

Row tuned_ceiling_row(const Context &c) {
    Row row{"", "tuned kernels, mean share of the ceiling", ""};
    row.rival = "arithmetic peak or reading from cache";
    row.unit = "ceiling";
    std::vector<tune::Rule> rules = rules_of(ks_isa(&c.library));
    std::vector<double> found;
    if (rules.empty()) {
        row.note = nothing_tuned(c);
        return row;
    }
    tune::Ceiling ceiling = tune::measure_ceiling(ks_isa(&c.library));
    for (const tune::Rule &r : rules) {
        tune::Task task;
        task.op = r.op;
        task.spec = {r.choices, r.fixed};
        for (const tune::Evidence &e : r.evidence)
            found.push_back(tune::floor_seconds(ceiling, tune::work_of(task, e.shape)) / e.seconds);
    }
    Speeds speeds(found);
    row.shape = shape_of(rules, speeds);
    row.ours = row.ratio = speeds.mean();
    row.rival_value = 1;
    row.note = fmt::format(
        "reported without a goal; least {:.2f}, most {:.2f} of the ceiling, measured now: {}; times "
        "are those of the tuning run; {}",
        speeds.sorted.front(), speeds.sorted.back(), peaks_of(ceiling), c.machine);
    return row;
}

} // namespace ks::bench
