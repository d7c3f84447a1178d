// SPDX-License-Identifier: Apache-2.0
// A pack as seen by this process: the kernels that this CPU or GPU can run, and the threads that run them.
#pragma once
#include "kingsnake/kingsnake.h"
#include "runtime/kernels/cuda/launcher.h"
#include "runtime/kernels/op_table.h"
#include "runtime/kernels/thread_pool.h"
#include <memory>
#include <string>
#include <vector>

struct ks_library {
    std::string isa;
    const ks::cuda::OpenDevice *device = nullptr; // of the GPU, held until the process ends; null: the CPU
    std::unique_ptr<ks::ThreadPool> pool;
    std::vector<std::vector<const ks::KernelInfo *>> kernels; // per op, most special first
};

namespace ks {

// Sets the text of ks_last_error and returns `status`.
ks_status fail(ks_status status, const std::string &message);

} // namespace ks
