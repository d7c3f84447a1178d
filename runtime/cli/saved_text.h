// SPDX-License-Identifier: Apache-2.0
// A text that can go on later as if it had never stopped: one npz with the model's state, all tokens, the
// sampler's generator and the fingerprint of the checkpoint.
#pragma once
#include "runtime/model/model.h"
#include "runtime/text/rng.h"
#include <string>
#include <vector>

namespace ks::cli {

struct SavedText {
    std::vector<int> ids;   // never empty; the last one the state has not read
    text::Rng generator{0}; // as it was after the last token
};

// Both throw ks::Error(path, cause). The file appears whole or not at all; what is loaded must be of this
// model, and on failure the state stays as it was.
void save_text(const std::string &path, const model::Model &model, const model::State &state,
               const SavedText &text);
SavedText load_text(const std::string &path, const model::Model &model, model::State &state);

} // namespace ks::cli
