// SPDX-License-Identifier: Apache-2.0
#include "dsl/ptx/cuda_kernel.h"
#include "dsl/ptx/images.h"
#include "runtime/base/error.h"
#include <cstring>

namespace ks::ptx {
using namespace Halide;

namespace {

bool holds_device_code(const Buffer<> &b) { return b.name().find("gpu_source_kernels") != std::string::npos; }

std::string arch_of(const std::string &ptx) {
    size_t at = ptx.find(".target ") + std::strlen(".target ");
    return ptx.substr(at, ptx.find_first_of(", \n", at) - at);
}

// Everything that a text calls must be in it: what is left would fail only when a device loads it.
std::string whole(const std::string &ptx, const std::string &symbol) {
    std::vector<std::string> left = undefined_calls(ptx);
    if (!left.empty())
        throw Error(symbol, "the device code calls " + left.front() + ", which nothing defines");
    return ptx;
}

} // namespace

CudaBuild plain_build(const Ptxas &ptxas) {
    CudaBuild build;
    for (const char *arch : {"sm_80", "sm_90", "sm_100"})
        if (ptxas.knows(arch)) build.archs.push_back(arch);
    if (build.archs.empty()) throw Error(ptxas.program(), "knows none of sm_80, sm_90, sm_100");
    return build;
}

std::string ptx_of(const Module &module) {
    for (const auto &b : module.buffers())
        if (holds_device_code(b)) // ends with a null byte
            return {reinterpret_cast<const char *>(b.data()), b.size_in_bytes() - 1};
    throw Error(module.name(), "has no device code: the schedule asks for no GPU loop");
}

Module with_device_code(const Module &module, const std::vector<uint8_t> &bytes) {
    Module made(module.name(), module.target());
    for (const auto &f : module.functions()) made.append(f);
    for (const auto &b : module.buffers()) {
        if (!holds_device_code(b)) {
            made.append(b);
            continue;
        }
        Buffer<uint8_t> code(static_cast<int>(bytes.size()), b.name()); // found by that name
        std::memcpy(code.data(), bytes.data(), bytes.size());
        made.append(code);
    }
    return made;
}

std::vector<CudaReport> compile_cuda(const Kernel &kernel, const std::string &symbol, const Ptxas &ptxas,
                                     const CudaBuild &build, const std::string &object) {
    Module module = lower_to_module(kernel, symbol, kernel_target("cuda"));
    std::string ptx = ptx_of(module);
    for (const auto &edit : kernel.device.edits) ptx = edit(ptx);
    ptx = whole(expand_pseudo_calls(ptx, kernel.device.expansions), symbol);
    std::vector<Image> images;
    std::vector<CudaReport> reports;
    for (const std::string &arch : build.archs) {
        Cubin cubin = ptxas.assemble(ptx, {arch, kernel.device.max_registers});
        images.push_back({cuda::ImageKind::cubin, arch, std::move(cubin.code)});
        reports.push_back({arch, std::move(cubin.kernels)});
    }
    if (build.with_ptx)
        images.push_back({cuda::ImageKind::ptx, arch_of(ptx), {ptx.c_str(), ptx.c_str() + ptx.size() + 1}});
    try {
        with_device_code(module, join_images(images)).compile({{OutputFileType::object, object}});
    } catch (const Halide::Error &e) {
        throw Error(symbol, e.what());
    }
    return reports;
}

} // namespace ks::ptx
