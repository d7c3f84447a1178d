// SPDX-License-Identifier: Apache-2.0
// The layer entries of BlackMamba's config: "r", "1", "8", "r1", "r8".
#pragma once
#include "runtime/model/config.h"
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace ks::model {

// `field` is mamba_moe_layers: one entry for each of `count` layers, or empty for mixers only. An entry is
// "r" (a mixer), one digit 1 to 9 (an MLP with that many experts), or both; anything else, such as "16" or
// "9r", is refused by a ks::Error that names entry and index.
std::vector<Layer> parse_layers(const std::string &source, const nlohmann::json &field, int64_t count);

} // namespace ks::model
