// SPDX-License-Identifier: Apache-2.0
// Builds a pack's folder: objects (kept between runs), one archive, the C header and the table source.
#pragma once
#include "autotune/pack/pack_kernel.h"
#include "dsl/ptx/cuda_kernel.h"
#include <functional>

namespace ks::pack {

// Bytes a thread of a kernel for GPUs. A few registers spilled outside the inner loop may win (the scan's
// four lanes); what lives in local memory is not kept.
constexpr int most_spilled = 32;

// Why a kernel for GPUs is worth no measurement, one line: on each of the architectures that it was built for
// it spills more, or no block can be launched. Empty when it is worth one.
std::string refusal(const std::vector<ptx::CudaReport> &reports);

// Compiles one kernel to an object file, written by rename, under that name in C. Runs in the calling
// process. Throws ks::Error, also for what refusal() refuses.
void build_object(const PackKernel &kernel, const std::string &object, const std::string &symbol);

// Writes <folder>/include/kingsnake/ops.h, <folder>/table.cpp, <folder>/libks_kernels.a. `jobs` processes
// compile; an object whose kernel and compiler are unchanged is kept. Throws ks::Error naming the kernel that
// failed.
void build_pack(const std::vector<PackKernel> &kernels, const std::string &folder, int jobs,
                const std::function<void(size_t done, size_t all)> &progress);

} // namespace ks::pack
