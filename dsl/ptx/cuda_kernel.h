// SPDX-License-Identifier: Apache-2.0
// A scheduled GPU pipeline to an object: Halide's PTX with pseudo-calls expanded, assembled for every
// architecture asked for, and put back in place of the PTX. No GPU is needed.
#pragma once
#include "dsl/kernel.h"
#include "dsl/ptx/ptxas.h"
#include "dsl/ptx/text.h"

namespace ks::ptx {

// Halide's target for such pipelines. Its PTX is the same for all architectures from sm_80 on.
Halide::Target cuda_target();

// The PTX of a lowered pipeline. Throws ks::Error when nothing of it runs on a GPU.
std::string ptx_of(const Halide::Module &module);
// The module with other bytes in place of its PTX.
Halide::Module with_device_code(const Halide::Module &module, const std::vector<uint8_t> &bytes);

struct CudaBuild {
    std::vector<Assembly> assemblies; // one cubin each, at least one
    bool with_ptx = true;             // and the text, for architectures that are none of these
    std::map<std::string, Expansion> expansions;
};

struct CudaReport {
    std::string arch;
    std::vector<Resources> kernels;
};

// Writes `object`. Throws ks::Error as compile() does, and when a call is left that nothing defines or ptxas
// refuses the text. Nothing is written then.
std::vector<CudaReport> compile_cuda(const Kernel &kernel, const std::string &symbol, const Ptxas &ptxas,
                                     const CudaBuild &build, const std::string &object);

} // namespace ks::ptx
