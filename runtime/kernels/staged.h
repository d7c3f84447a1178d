// SPDX-License-Identifier: Apache-2.0
// A call whose operands are in host memory, for programs that have their data there (ks op, tests): on a GPU
// they are copied to the device, the op runs, and what it wrote comes back.
#pragma once
#include "runtime/kernels/library.h"

namespace ks {

// As launch(), for host memory on any library; returns when the results are there. Memory between the rows of
// a strided result keeps its bytes.
ks_status launch_staged(const ks_library *library, int op, const void *args);

} // namespace ks
