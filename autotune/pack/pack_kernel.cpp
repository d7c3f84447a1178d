// SPDX-License-Identifier: Apache-2.0
#include "autotune/pack/pack_kernel.h"
#include "dsl/ptx/images.h"
#include "runtime/base/error.h"
#include <cstdio>
#include <optional>

namespace ks::pack {

uint64_t hash_of(const std::string &text) {
    uint64_t h = 14695981039346656037ull;
    for (unsigned char c : text) h = (h ^ c) * 1099511628211ull;
    return h;
}

const ptx::Ptxas &assembler() {
    static const std::optional<ptx::Ptxas> found = ptx::Ptxas::find();
    if (!found)
        throw Error("ptxas",
                    "is not on this machine, and kernels for a GPU need it: install the CUDA toolkit or the "
                    "Python wheel nvidia-cuda-nvcc, or name it in KS_PTXAS");
    return *found;
}

std::string PackKernel::identity() const {
    std::string compiler = isa == "cuda" ? " ptxas " + assembler().version() : "";
    return op + " v" + std::to_string(op_named(op).contract.version) + " " + isa + " {" + spec.text() +
           "} {" + knobs.text() + "}" + compiler;
}

std::string PackKernel::symbol() const {
    char hash[17];
    std::snprintf(hash, sizeof hash, "%016llx", static_cast<unsigned long long>(hash_of(identity())));
    return "ks_kernel_" + op + "_" + isa + "_" + hash;
}

int PackKernel::capability() const {
    if (isa != "cuda") return 0;
    const std::string arch = op_named(op).build(spec, knobs, kernel_target(isa)).device.arch;
    return arch.empty() ? 0 : ptx::capability(arch);
}

PackKernel default_kernel(const Op &op, const std::string &isa, const Spec &spec) {
    PackKernel k{op.contract.name, isa, spec, op.space(spec, kernel_target(isa)).fallback(), {}, ""};
    for (const auto &[name, value] : spec.fixed) k.box[name] = {value, value};
    return k;
}

namespace {

PackKernel usual_kernel(const Op &op, const std::string &isa, const UsualKernel &usual) {
    PackKernel k = default_kernel(op, isa, usual.spec);
    k.knobs = usual.knobs;
    k.rank = Rank::usual;
    for (const auto &[name, most] : usual.most) k.box[name] = {op.contract.dim(name).low, most};
    return k;
}

} // namespace

std::vector<PackKernel> default_kernels(const std::vector<std::string> &isas) {
    std::vector<PackKernel> kernels;
    for (const std::string &isa : isas) {
        Halide::Target target = kernel_target(isa);
        for (const Op &op : all_ops())
            for (const Spec &base : base_specs(op, target)) {
                kernels.push_back(default_kernel(op, isa, base));
                for (const UsualKernel &usual : usual_kernels(op, base, target))
                    kernels.push_back(usual_kernel(op, isa, usual));
            }
    }
    return kernels;
}

} // namespace ks::pack
