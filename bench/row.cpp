// SPDX-License-Identifier: Apache-2.0
#include "bench/row.h"
#include <nlohmann/json.hpp>

namespace ks::bench {

namespace {

template <typename T>
nlohmann::json or_null(const std::optional<T> &value) {
    return value ? nlohmann::json(*value) : nlohmann::json();
}

} // namespace

std::optional<bool> Row::met() const {
    if (!ratio || !goal) return std::nullopt;
    return *ratio >= *goal;
}

std::string Row::json() const {
    nlohmann::ordered_json fields{{"id", id},
                                  {"what", what},
                                  {"shape", shape},
                                  {"ours", or_null(ours)},
                                  {"rival", rival},
                                  {"rival_value", or_null(rival_value)},
                                  {"unit", unit},
                                  {"ratio", or_null(ratio)},
                                  {"goal", or_null(goal)},
                                  {"met", or_null(met())},
                                  {"note", note}};
    return fields.dump();
}

} // namespace ks::bench
