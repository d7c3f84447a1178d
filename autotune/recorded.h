// SPDX-License-Identifier: Apache-2.0
// What the store knows of a device, as a tuning run would have ended: for samples that were measured
// elsewhere, and to make a dispatch table again.
#pragma once
#include "autotune/dispatch.h"

namespace ks::tune {

struct Recorded {
    Task task; // its shapes: those of the result
    Result result;
};

// Of every kernel with final rounds on that device: at each shape all candidates, each as it was in its
// newest batch, measured by the default of that batch. What belongs to another version of its op or another
// compiler than this program's is left out, as are candidates that are no longer points of their space.
std::vector<Recorded> recorded_results(const Store &store, const std::string &device);

// Devices with samples whose names hold `part`.
std::vector<std::string> devices_like(const Store &store, const std::string &part);
// The only one; throws ks::Error that lists those there are.
std::string device_like(const Store &store, const std::string &part);

// Puts all that is recorded of a device into the table, with the rules of `ksc tune`.
void put_recorded(Table &table, const std::vector<Recorded> &recorded, const std::string &date);

} // namespace ks::tune
