// SPDX-License-Identifier: Apache-2.0
// Tokens of every expert in whole tiles.
#pragma once
#include "tests/oracles/router.h"

namespace ks::oracle {

struct ExpertTiles {
    std::vector<int> rows;    // [G,B] token of a slot; behind an expert's last token that one again
    std::vector<int> experts; // [G,B] the tile's expert; -1 (and rows 0) behind the last tile in use
};

// The first `tiles` tiles of `slots` slots each. Throws std::invalid_argument when the grouping does not hold
// together.
ExpertTiles expert_tiles(const Grouping &groups, int slots, int tiles);

} // namespace ks::oracle
