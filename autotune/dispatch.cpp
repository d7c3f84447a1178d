// SPDX-License-Identifier: Apache-2.0
#include "autotune/dispatch.h"
#include <algorithm>
#include <fmt/format.h>

namespace ks::tune {

namespace {

// What keeps a rule from a call; empty when it applies. A dimension the rule says nothing of keeps it off
// too.
std::string mismatch(const Rule &rule, const std::map<std::string, std::string> &choices,
                     const std::string &isa, const Dims &dims) {
    if (rule.isa != isa) return fmt::format("is for {}, not {}", rule.isa, isa);
    for (const auto &[name, value] : rule.choices) {
        auto given = choices.find(name);
        if (given == choices.end() || given->second != value)
            return fmt::format("is for {}={}, not {}", name, value,
                               given == choices.end() ? "none" : given->second);
    }
    for (const auto &[name, value] : choices)
        if (!rule.choices.count(name)) return fmt::format("says nothing of {}", name);
    for (const auto &[name, value] : dims) {
        auto fixed = rule.fixed.find(name);
        auto where = rule.where.find(name);
        if (fixed != rule.fixed.end()) {
            if (fixed->second != value)
                return fmt::format("is for {}={}, not {}", name, fixed->second, value);
        } else if (where == rule.where.end())
            return fmt::format("says nothing of {}", name);
        else if (!where->second.holds(value))
            return fmt::format("is for {}={}..{}, not {}", name, where->second.low, where->second.high,
                               value);
    }
    for (const auto &[name, value] : rule.fixed)
        if (!dims.count(name)) return fmt::format("needs {}, which is not given", name);
    for (const auto &[name, value] : rule.where)
        if (!dims.count(name)) return fmt::format("needs {}, which is not given", name);
    return "";
}

} // namespace

std::string Rule::where_text() const {
    std::string t;
    for (const auto &[name, in] : where) {
        t += fmt::format("{}{}={}", t.empty() ? "" : ", ", name, in.low);
        if (in.high != in.low) t += fmt::format("..{}", in.high);
    }
    return t;
}

void Table::replace(const std::string &op, const Spec &spec, const std::string &isa,
                    const std::vector<Rule> &fresh) {
    auto same = [&](const Rule &r) {
        return r.op == op && r.isa == isa && r.choices == spec.choices && r.fixed == spec.fixed;
    };
    rules.erase(std::remove_if(rules.begin(), rules.end(), same), rules.end());
    rules.insert(rules.end(), fresh.begin(), fresh.end());
}

const Rule *Table::find(const std::string &op, const std::map<std::string, std::string> &choices,
                        const std::string &isa, const Dims &dims) const {
    for (const Rule &r : rules)
        if (r.op == op && mismatch(r, choices, isa, dims).empty()) return &r;
    return nullptr;
}

std::string Table::why(const std::string &op, const std::map<std::string, std::string> &choices,
                       const std::string &isa, const Dims &dims) const {
    std::string t = fmt::format("{} at {} on {} ({}):\n", op, dims_text(dims), isa, device);
    size_t of_op = 0;
    for (const Rule &r : rules) {
        if (r.op != op) continue;
        of_op++;
        std::string cause = mismatch(r, choices, isa, dims);
        if (!cause.empty()) {
            t += fmt::format("  no   {} [{}]: {}\n", r.knobs, r.where_text(), cause);
            continue;
        }
        t += fmt::format("  yes  {} [{}], measured {}:\n", r.knobs, r.where_text(), r.date);
        for (const Evidence &e : r.evidence)
            t += fmt::format("         {}: {:.3g} s, {:.3f} of the default's time ({:.3f}..{:.3f})\n",
                             dims_text(e.shape), e.seconds, e.ratio, e.low, e.high);
    }
    if (const Rule *r = find(op, choices, isa, dims)) return t + "runs " + r->knobs + "\n";
    return t +
           (of_op ? "runs the default: no rule applies\n" : "runs the default: it was never tuned here\n");
}

} // namespace ks::tune
