// SPDX-License-Identifier: Apache-2.0
// One line of the table of speeds against rivals.
#pragma once
#include <optional>
#include <string>

namespace ks::bench {

// `ours` and `rival_value` are medians in `unit`, `ratio` says how many times better ours is. A rival that
// this machine lacks leaves `rival_value` and `ratio` empty, a figure that is only reported leaves `goal`
// empty; `note` says why.
struct Row {
    std::string id, what, shape;
    std::optional<double> ours = {};
    std::string rival = {};
    std::optional<double> rival_value = {};
    std::string unit = {};
    std::optional<double> ratio = {};
    std::optional<double> goal = {}; // of the ratio
    std::string note = {};

    std::optional<bool> met() const; // empty: no rival or no goal
    std::string json() const;        // one line; the field `met` included, empty values as null
};

} // namespace ks::bench
