// SPDX-License-Identifier: Apache-2.0
// Sizes of one forward pass; see Model::forward.
#pragma once
#include "runtime/model/model.h"

namespace ks::model {

struct Model::Pass {
    int64_t tokens;
    int first, sequences;
    // Every sequence has one token: states are stepped, not scanned.
    bool step() const { return tokens == sequences; }
};

} // namespace ks::model
