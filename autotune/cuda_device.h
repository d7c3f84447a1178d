// SPDX-License-Identifier: Apache-2.0
// The GPU that this process measures on. A program that loads CUDA candidates must export ks_cuda_* (link
// with ENABLE_EXPORTS and -u ks_cuda_run): their host code calls the launcher by these names.
#pragma once
#include "autotune/device.h"

namespace ks::tune {

Device &cuda_device(int ordinal); // for the whole process; nothing is opened before it is used

} // namespace ks::tune
