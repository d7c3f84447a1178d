// SPDX-License-Identifier: Apache-2.0
#include "autotune/dispatch.h"
#include <algorithm>
#include <fmt/format.h>
#include <tuple>

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

// Why no rule came of a tuned kernel at this call: what the measured shapes say.
std::string default_won(const Tuned &u) {
    std::string t = fmt::format(
        "runs the default: tuned {}, no variant may replace it here; the fastest others:\n", u.date);
    for (const Rival &r : u.rivals)
        t += fmt::format("         {}: {:.3f} of the default's time ({:.3f}..{:.3f}{}) with {}\n",
                         dims_text(r.shape), r.ratio, r.low, r.high,
                         r.low <= 1 && 1 <= r.high ? ", a tie" : "", r.knobs);
    if (u.rivals.empty()) t += "         none passed its checks\n";
    return t;
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

void Table::replace(const Tuned &fresh, const std::vector<Rule> &fresh_rules) {
    auto same = [&](const auto &r) {
        return std::tie(r.op, r.isa, r.choices, r.fixed) ==
               std::tie(fresh.op, fresh.isa, fresh.choices, fresh.fixed);
    };
    rules.erase(std::remove_if(rules.begin(), rules.end(), same), rules.end());
    rules.insert(rules.end(), fresh_rules.begin(), fresh_rules.end());
    tuned.erase(std::remove_if(tuned.begin(), tuned.end(), same), tuned.end());
    tuned.push_back(fresh);
}

std::vector<Knobs> Table::winners(const std::string &op, const Spec &spec, const std::string &isa) const {
    std::map<std::string, std::pair<int, int>> votes; // of rules for this kernel, and of all
    for (const Rule &r : rules) {
        if (r.op != op || r.isa != isa) continue;
        votes[r.knobs].first -= r.fixed == spec.fixed && r.choices == spec.choices;
        votes[r.knobs].second--;
    }
    std::vector<std::pair<std::pair<int, int>, std::string>> order;
    for (const auto &[knobs, count] : votes) order.emplace_back(count, knobs);
    std::sort(order.begin(), order.end());
    std::vector<Knobs> list;
    for (const auto &[count, knobs] : order) list.push_back(parse_knobs(knobs));
    return list;
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
    for (const Rule &r : rules) {
        if (r.op != op) continue;
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
    auto covers = [&](const Tuned &u) {
        return u.op == op && u.isa == isa && u.choices == choices &&
               std::all_of(u.fixed.begin(), u.fixed.end(), [&](const auto &width) {
                   auto given = dims.find(width.first);
                   return given != dims.end() && given->second == width.second;
               });
    };
    auto u = std::find_if(tuned.begin(), tuned.end(), covers);
    return t +
           (u == tuned.end() ? "runs the default: it was never tuned for these widths\n" : default_won(*u));
}

} // namespace ks::tune
