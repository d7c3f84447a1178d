// SPDX-License-Identifier: Apache-2.0
// What a LaunchScope tells the kernel calls of its thread.
#pragma once
#include "runtime/kernels/cuda/launcher.h"

namespace ks::cuda {

struct Here {
    const OpenDevice *device = nullptr; // null: no scope lives
    Stream stream = nullptr;
    std::string error; // the first
};
extern thread_local Here here;

} // namespace ks::cuda
