// SPDX-License-Identifier: Apache-2.0
#include "dsl/ptx/cuda_kernel.h"
#include "dsl/ptx/images.h"
#include "dsl/ptx/occupancy.h"
#include "runtime/base/error.h"
#include "runtime/kernels/cuda/tile_launch.h"
#include <algorithm>
#include <cstring>

namespace ks::ptx {
using namespace Halide;

namespace {

bool holds_device_code(const Buffer<> &b) { return b.name().find("gpu_source_kernels") != std::string::npos; }

std::string arch_of(const std::string &ptx) {
    size_t at = ptx.find(".target ") + std::strlen(".target ");
    return ptx.substr(at, ptx.find_first_of(", \n", at) - at);
}

bool has_dependent_launches(const std::string &arch) { return capability(arch) >= 90; }

// Everything that a text calls must be in it: what is left would fail only when a device loads it.
std::string whole(const std::string &ptx, const std::string &symbol) {
    std::vector<std::string> left = undefined_calls(ptx);
    if (!left.empty())
        throw Error(symbol, "the device code calls " + left.front() + ", which nothing defines");
    return ptx;
}

// Calls of Halide's CUDA runtime, under the names of our launcher (runtime/kernels/cuda/host_abi.cpp).
struct CallOurLauncher : Internal::IRMutator {
    using IRMutator::visit;
    static std::string ours(const std::string &name) {
        static const std::map<std::string, std::string> names = {
            {"halide_cuda_initialize_kernels", "ks_cuda_initialize_kernels"},
            {"halide_cuda_run", "ks_cuda_run"},
            {"halide_cuda_finalize_kernels", "ks_cuda_finalize_kernels"},
            {"halide_copy_to_device", "ks_cuda_copy_to_device"},
            {"halide_cuda_device_interface", "ks_cuda_device_interface"}};
        auto found = names.find(name);
        return found == names.end() ? name : found->second;
    }
    Expr visit(const Internal::Call *op) override {
        std::vector<Expr> args = mutate(op->args);
        if (op->is_intrinsic(Internal::Call::register_destructor)) // names what is to be called at the end
            args[0] = Internal::StringImm::make(ours(args[0].as<Internal::StringImm>()->value));
        return Internal::Call::make(op->type, ours(op->name), args, op->call_type, op->func, op->value_index,
                                    op->image, op->param);
    }
};

// The blocks of launches, by kernel, as far as they are the same in every call.
struct FindBlocks : Internal::IRVisitor {
    using IRVisitor::visit;
    std::map<std::string, Block> blocks;
    void visit(const Internal::Call *op) override {
        IRVisitor::visit(op);
        if (op->name != "halide_cuda_run") return;
        // state, name, three extents of the grid, three of the block, bytes of shared memory, ...
        auto known = [&](size_t i) { return Internal::as_const_int(Internal::simplify(op->args.at(i))); };
        auto x = known(5), y = known(6), z = known(7), shared = known(8);
        if (!x || !y || !z) return;
        blocks[op->args[1].as<Internal::StringImm>()->value] = {static_cast<int>(*x * *y * *z),
                                                                static_cast<int>(shared.value_or(0))};
    }
};

std::map<std::string, Block> blocks_of(const Module &module, const std::vector<uint8_t> &launch) {
    FindBlocks found;
    for (const Internal::LoweredFunc &f : module.functions()) f.body.accept(&found);
    cuda::TileLaunch beside{};
    if (!launch.empty()) std::memcpy(&beside, launch.data(), std::min(launch.size(), sizeof beside));
    for (auto &[kernel, block] : found.blocks) block.dynamic_shared += static_cast<int>(beside.shared_bytes);
    return found.blocks;
}

std::string unfit(const std::vector<Resources> &kernels, const std::map<std::string, Block> &blocks,
                  const std::string &arch) {
    for (const Resources &k : kernels)
        if (auto block = blocks.find(k.kernel); block != blocks.end())
            if (std::string why = unfit(k, block->second, arch); !why.empty()) return why;
    return "";
}

std::string spills_much(const std::vector<Resources> &kernels, int most, const std::string &arch) {
    for (const Resources &k : kernels)
        if (k.spill_stores > most)
            return k.kernel + " on " + arch + ": spills " + std::to_string(k.spill_stores) +
                   " bytes of its " + std::to_string(k.registers) + " registers";
    return "";
}

} // namespace

CudaBuild build_for(const DeviceCode &code, const Ptxas &ptxas) {
    CudaBuild build;
    if (!code.arch.empty()) {
        if (!ptxas.knows(code.arch)) throw Error(ptxas.program(), "does not know " + code.arch);
        return {{code.arch}, false};
    }
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
    for (Internal::LoweredFunc f : module.functions()) {
        f.body = CallOurLauncher().mutate(f.body);
        made.append(f);
    }
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

std::string device_text(const Kernel &kernel, const std::string &symbol, const std::string &halide_ptx) {
    std::string ptx = halide_ptx;
    for (const auto &edit : kernel.device.edits) ptx = edit(ptx);
    return whole(expand_pseudo_calls(ptx, kernel.device.expansions), symbol);
}

std::vector<CudaReport> compile_cuda(const Kernel &kernel, const std::string &symbol, const Ptxas &ptxas,
                                     const CudaBuild &build, const std::string &object) {
    Module module = lower_to_module(kernel, symbol, kernel_target("cuda"));
    std::string halide_ptx = ptx_of(module), ptx = device_text(kernel, symbol, halide_ptx);

    std::vector<uint8_t> launch;
    if (kernel.device.launch) launch = kernel.device.launch(halide_ptx);
    const std::map<std::string, Block> blocks = blocks_of(module, launch);
    std::vector<Image> images;
    std::vector<CudaReport> reports;
    for (const std::string &arch : build.archs) {
        bool waits = has_dependent_launches(arch);
        Cubin cubin =
            ptxas.assemble(waits ? with_dependent_launches(ptx, kernel.device.early_successor) : ptx,
                           {arch, kernel.device.max_registers});
        std::string why = spills_much(cubin.kernels, build.most_spilled, arch);
        if (why.empty()) {
            images.push_back({cuda::ImageKind::cubin, arch, std::move(cubin.code), waits});
            why = unfit(cubin.kernels, blocks, arch);
        }
        reports.push_back({arch, std::move(cubin.kernels), why});
    }
    if (build.with_ptx)
        images.push_back({cuda::ImageKind::ptx, arch_of(ptx), {ptx.c_str(), ptx.c_str() + ptx.size() + 1}});
    if (!launch.empty()) images.push_back({cuda::ImageKind::launch, arch_of(ptx), launch});
    try {
        with_device_code(module, join_images(images)).compile({{OutputFileType::object, object}});
    } catch (const Halide::Error &e) {
        throw Error(symbol, e.what());
    }
    return reports;
}

} // namespace ks::ptx
