// SPDX-License-Identifier: Apache-2.0
// What the innermost LaunchScope of a thread tells the kernel calls of that thread.
#pragma once
#include "runtime/kernels/cuda/driver.h"
#include <string>

namespace ks::cuda {

struct OpenDevice;

struct Here {
    const OpenDevice *device = nullptr; // null: no scope lives
    Stream stream = nullptr;
    std::string *error = nullptr; // the scope's; the first stays
};
extern thread_local Here here;

} // namespace ks::cuda
