// SPDX-License-Identifier: Apache-2.0
// A scheduled GPU pipeline to an object: Halide's PTX with pseudo-calls expanded, assembled for every
// architecture asked for, and put back in place of the PTX. No GPU is needed.
#pragma once
#include "dsl/kernel.h"
#include "dsl/ptx/ptxas.h"
#include <limits>

namespace ks::ptx {

// The PTX of a lowered pipeline. Throws ks::Error when nothing of it runs on a GPU.
std::string ptx_of(const Halide::Module &module);
// The module with other bytes in place of its PTX.
Halide::Module with_device_code(const Halide::Module &module, const std::vector<uint8_t> &bytes);

// The text after the edits and expansions of its kernel. Throws ks::Error as these do, and when a call is
// left that nothing defines.
std::string device_text(const Kernel &kernel, const std::string &symbol, const std::string &halide_ptx);

struct CudaBuild {
    std::vector<std::string> archs; // one cubin each
    bool with_ptx = true;           // and the text, for architectures that are none of these
    // Bytes a thread. An architecture for which a kernel spills more gets no cubin: its text, which the
    // driver assembles without a limit of registers, has to do there.
    int most_spilled = std::numeric_limits<int>::max();
};

// What a kernel is built for: the architecture whose instructions it has, or else sm_80, sm_90 and sm_100 as
// far as `ptxas` knows them, and PTX. Throws ks::Error when `ptxas` does not know the one.
CudaBuild build_for(const DeviceCode &code, const Ptxas &ptxas);

struct CudaReport {
    std::string arch;
    std::vector<Resources> kernels;
    // Why one of them cannot be launched there, as far as its block is the same in every call, or why there
    // is no cubin. Empty: nothing is known against it.
    std::string unfit;
};

// Writes `object`. Throws ks::Error as compile() does, and when a call is left that nothing defines or ptxas
// refuses the text. Nothing is written then.
std::vector<CudaReport> compile_cuda(const Kernel &kernel, const std::string &symbol, const Ptxas &ptxas,
                                     const CudaBuild &build, const std::string &object);

} // namespace ks::ptx
