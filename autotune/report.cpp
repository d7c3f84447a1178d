// SPDX-License-Identifier: Apache-2.0
#include "autotune/report.h"
#include <algorithm>
#include <fmt/format.h>

namespace ks::tune {

namespace {

std::string time_text(double seconds) {
    return seconds < 1e-3 ? fmt::format("{:.1f} us", seconds * 1e6) : fmt::format("{:.2f} ms", seconds * 1e3);
}

std::string widths_text(const Spec &spec) {
    std::string t = dims_text(spec.fixed);
    for (const char *choice : {"weight", "io"})
        if (auto at = spec.choices.find(choice); at != spec.choices.end()) t += " " + at->second;
    return t;
}

// The rule that holds at this shape, if any.
const Rule *rule_at(const std::vector<Rule> &rules, const Dims &shape) {
    for (const Rule &r : rules)
        if (std::all_of(shape.begin(), shape.end(), [&](const auto &dim) {
                auto at = r.where.find(dim.first);
                return at == r.where.end() || at->second.holds(dim.second);
            }))
            return &r;
    return nullptr;
}

} // namespace

Report::Report(const std::string &isa) {
    if (isa != "cuda") ceiling_ = measure_ceiling(isa);
}

void Report::add(const Task &task, const Result &result, const std::vector<Rule> &rules) {
    for (const ShapeResult &s : result.shapes) {
        if (s.finalists.empty()) continue;
        Row row{task.op,
                dims_text(s.shape) + " " + widths_text(task.spec),
                "default",
                s.finalists[0].seconds,
                s.finalists[0].seconds,
                1,
                0};
        if (const Rule *r = rule_at(rules, s.shape))
            for (const Evidence &e : r->evidence)
                if (e.shape == s.shape) {
                    row.variant = r->knobs;
                    row.tuned = e.seconds;
                    row.ratio = 1 / e.ratio;
                }
        if (ceiling_) row.of_ceiling = floor_seconds(*ceiling_, work_of(task, s.shape)) / row.tuned;
        rows_.push_back(row);
    }
}

void Report::print() const {
    if (ceiling_)
        fmt::print("\none core: {:.0f} GFLOP/s in registers, {:.0f} GB/s from memory, {:.0f} GB/s from cache "
                   "(measured)\n\n",
                   ceiling_->flops * 1e-9, ceiling_->memory_bytes() * 1e-9, ceiling_->cached_bytes() * 1e-9);
    const char *format = "{:<24} {:<32} {:>10} {:>10} {:>6} {:>8}  {}\n";
    fmt::print(fmt::runtime(format), "op", "shape", "default", "tuned", "ratio", "ceiling", "variant");
    for (const Row &r : rows_)
        fmt::print(fmt::runtime(format), r.op, r.shape, time_text(r.fallback), time_text(r.tuned),
                   fmt::format("{:.2f}", r.ratio), ceiling_ ? fmt::format("{:.2f}", r.of_ceiling) : "-",
                   r.variant);
}

} // namespace ks::tune
