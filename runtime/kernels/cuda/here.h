// SPDX-License-Identifier: Apache-2.0
// What the innermost LaunchScope of a thread tells the kernel calls of that thread.
#pragma once
#include "runtime/kernels/cuda/driver.h"
#include <string>

namespace ks::cuda {

struct OpenDevice;

struct LaunchError {
    std::string line;    // empty: all is well so far
    bool memory = false; // of the host or of the device, which ran out
};

struct Here {
    const OpenDevice *device = nullptr; // null: no scope lives
    Stream stream = nullptr;
    LaunchError *error = nullptr; // the scope's; the first stays
};
extern thread_local Here here;

} // namespace ks::cuda
