// SPDX-License-Identifier: Apache-2.0
// Contracts as JSON: a measuring kit brings those of its ops along, since they are defined beside Halide
// code.
#pragma once
#include "autotune/fields.h"
#include "dsl/contract.h"

namespace ks::tune {

json contract_to_json(const Contract &contract);
Contract contract_from_json(const json &object); // throws ks::Error naming the field that is off

} // namespace ks::tune
