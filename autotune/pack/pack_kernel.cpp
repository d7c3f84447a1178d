// SPDX-License-Identifier: Apache-2.0
#include "autotune/pack/pack_kernel.h"
#include <cstdio>

namespace ks::pack {

uint64_t hash_of(const std::string &text) {
    uint64_t h = 14695981039346656037ull;
    for (unsigned char c : text) h = (h ^ c) * 1099511628211ull;
    return h;
}

std::string PackKernel::identity() const {
    return op + " v" + std::to_string(op_named(op).contract.version) + " " + isa + " {" + spec.text() +
           "} {" + knobs.text() + "}";
}

std::string PackKernel::symbol() const {
    char hash[17];
    std::snprintf(hash, sizeof hash, "%016llx", static_cast<unsigned long long>(hash_of(identity())));
    return "ks_kernel_" + op + "_" + isa + "_" + hash;
}

std::vector<PackKernel> base_kernels(const std::vector<std::string> &isas) {
    std::vector<PackKernel> kernels;
    for (const std::string &isa : isas) {
        Halide::Target target = kernel_target(isa);
        for (const Op &op : all_ops())
            for (const Spec &spec : base_specs(op, target))
                kernels.push_back(
                    {op.contract.name, isa, spec, op.space(spec, target).fallback(), {}, false});
    }
    return kernels;
}

} // namespace ks::pack
