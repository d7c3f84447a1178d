// SPDX-License-Identifier: Apache-2.0
// The results of a kernel against those of its oracle.
#pragma once
#include "tests/support/op_problem.h"
#include <cmath>
#include <functional>
#include <gtest/gtest.h>

namespace ks::test {

// Every written operand within the error of the contract.
inline void expect_within_contract(const OpProblem &p, const Results &got, const Results &wanted) {
    SCOPED_TRACE(p.text());
    for (const auto &o : p.contract->operands) {
        if (!written(o)) continue;
        const Values &g = got.at(o.name), &w = wanted.at(o.name);
        ASSERT_EQ(g.size(), w.size()) << o.name;
        double allowed = allowed_error(p, o, w);
        for (size_t i = 0; i < w.size(); i++) {
            bool right =
                g[i] == w[i] || std::fabs(g[i] - w[i]) <= allowed || (std::isnan(g[i]) && std::isnan(w[i]));
            if (right) continue;
            ADD_FAILURE() << o.name << "[" << i << "] is " << g[i] << ", not " << w[i] << " within "
                          << allowed;
            break;
        }
    }
}

// What contracts say about NaN and infinity, for one value `bad` planted in one operand:
//  - NaN is where the oracle has it, and nowhere else;
//  - of an infinity, NaN or infinity is where the oracle has either (or almost 0, behind gelu_erf);
//  - elements that the oracle leaves as they were keep their bits, the others are within the error.
inline void expect_non_finite(const OpProblem &p, double bad, const Results &got, const Results &wanted,
                              const Results &got_clean, const Results &wanted_clean) {
    auto choice = [&](const char *name) { return p.choices.count(name) ? p.choices.at(name) : ""; };
    for (const auto &[name, w] : wanted) {
        if (name == "change" && choice("space") == "log") continue; // the largest of what can be compared
        const Values &g = got.at(name);
        double allowed = allowed_error(p, p.contract->operand(name), w);
        for (size_t i = 0; i < w.size(); i++) {
            bool right;
            if (w[i] == wanted_clean.at(name)[i])
                right = g[i] == got_clean.at(name)[i];
            else if (std::isfinite(w[i]))
                right = std::fabs(g[i] - w[i]) <= allowed;
            else if (std::isnan(bad))
                right = std::isnan(g[i]) == std::isnan(w[i]);
            else
                right = !std::isfinite(g[i]) || (std::fabs(g[i]) < 1e-37 && choice("act") == "gelu_erf");
            if (right) continue;
            ADD_FAILURE() << p.text() << ": " << name << "[" << i << "] is " << g[i] << ", not " << w[i];
            break;
        }
    }
}

// NaN and both infinities in every operand in turn, as far as they are in its domain; `run` is the kernel.
inline void plant_non_finite(const OpProblem &clean, const std::function<Results(const OpProblem &)> &run) {
    const Results wanted_clean = expected(clean), got_clean = run(clean);
    bool linear_space = clean.choices.count("space") && clean.choices.at("space") == "linear";
    for (const auto &o : clean.contract->operands) {
        if (o.role == Role::output || o.type == "i32" || !clean.in.count(o.name)) continue;
        if (o.name == "A") continue; // must be finite
        for (double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
            if (linear_space && o.name == "logits" && std::isinf(bad)) continue; // must be finite
            SCOPED_TRACE(o.name + " has " + std::to_string(bad));
            OpProblem p = clean;
            Values &v = p.in[o.name];
            v[v.size() * 5 / 8] = bad;
            expect_non_finite(p, bad, run(p), expected(p), got_clean, wanted_clean);
        }
    }
}

} // namespace ks::test
