// SPDX-License-Identifier: Apache-2.0
// Under what conditions a kit is measured, as far as this system tells.
#pragma once
#include <nlohmann/json.hpp>

namespace ks::tune {

// System, load, frequency governor and cache sizes; "unknown" for what is not told.
nlohmann::json environment();

std::string utc_now(); // "2026-01-31T12:00:00Z"

} // namespace ks::tune
