// SPDX-License-Identifier: Apache-2.0
// The dispatch table of one device: what was tuned, and where which specialised variant replaces the default.
// Data, kept in git: sorted, one field a line, the same bytes for the same findings.
#pragma once
#include "autotune/tune.h"

namespace ks::tune {

struct Interval {
    int64_t low, high; // both ends included
    bool holds(int64_t v) const { return low <= v && v <= high; }
    bool operator==(const Interval &o) const { return low == o.low && high == o.high; }
};

// One measured shape of a variant: evidence that it was not slower than the default there.
struct Evidence {
    Dims shape;
    double ratio, low, high; // its time to the default's, and the 99 % interval
    double seconds;          // its median
};

struct Rule {
    std::string op;
    int op_version = 0;
    std::map<std::string, std::string> choices;
    Dims fixed; // the widths that the variant fixes
    std::string isa;
    std::map<std::string, Interval> where; // every dynamic dimension
    std::string knobs;                     // Knobs::text
    std::vector<Evidence> evidence;        // sorted by shape
    std::string compiler, date;            // date: ISO 8601, UTC

    std::string where_text() const; // "B=1, T=64..4096"
};

// What came nearest to the default, or before it, at one shape.
struct Rival : Evidence {
    std::string knobs;
};

// A kernel that was tuned, whether or not a rule came of it.
struct Tuned {
    std::string op;
    int op_version = 0;
    std::map<std::string, std::string> choices;
    Dims fixed;
    std::string isa;
    std::vector<Rival> rivals; // the fastest at each shape, default aside; sorted by shape
    std::string compiler, date;
};

struct Table {
    std::string device;
    std::vector<Rule> rules;  // of one kernel they never overlap
    std::vector<Tuned> tuned; // one for each kernel

    // Takes out what is known of a kernel and puts `fresh` and its rules in: a new tuning run replaces the
    // old one's findings.
    void replace(const Tuned &fresh, const std::vector<Rule> &fresh_rules);
    // Knobs of the rules of this op: first those for this kernel, then those for other widths; of either
    // those that most rules name come first.
    std::vector<Knobs> winners(const std::string &op, const Spec &spec, const std::string &isa) const;
    // The rule for a call, or null: the default. `dims` has every dimension of the op.
    const Rule *find(const std::string &op, const std::map<std::string, std::string> &choices,
                     const std::string &isa, const Dims &dims) const;
    // Why the call runs what it runs: one line for each rule of the op, then the decision.
    std::string why(const std::string &op, const std::map<std::string, std::string> &choices,
                    const std::string &isa, const Dims &dims) const;
};

Table load_table(const std::string &path);                    // throws ks::Error(path, cause)
void save_table(const Table &table, const std::string &path); // whole or not at all
std::string table_text(const Table &table);

} // namespace ks::tune
