// SPDX-License-Identifier: Apache-2.0
#include "tests/oracles/expert_tiles.h"
#include <algorithm>
#include <stdexcept>

namespace ks::oracle {

// One expert after the other is laid out to its end; what is missing or too much at the end is seen to last.
ExpertTiles expert_tiles(const Grouping &groups, int slots, int tiles) {
    ExpertTiles made;
    for (size_t e = 0; e < groups.counts.size(); e++) {
        auto from = groups.permutation.begin() + groups.offsets.at(e);
        auto to = groups.permutation.begin() + groups.offsets.at(e + 1);
        if (to - from != groups.counts[e]) throw std::invalid_argument("counts and offsets disagree");
        made.rows.insert(made.rows.end(), from, to);
        while (made.rows.size() % static_cast<size_t>(slots)) made.rows.push_back(*(to - 1));
        made.experts.resize(made.rows.size(), static_cast<int>(e));
    }
    auto wanted = static_cast<size_t>(tiles) * static_cast<size_t>(slots);
    made.rows.resize(wanted, 0);
    made.experts.resize(wanted, -1);
    return made;
}

} // namespace ks::oracle
