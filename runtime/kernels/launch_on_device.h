// SPDX-License-Identifier: Apache-2.0
// A checked call on a GPU: one launch for all its sequences, on the caller's stream.
#pragma once
#include "runtime/kernels/call.h"

namespace ks {

ks_status launch_on_device(const cuda::OpenDevice &device, const Call &call, const KernelInfo &kernel);

} // namespace ks
