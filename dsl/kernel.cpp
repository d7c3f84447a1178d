// SPDX-License-Identifier: Apache-2.0
#include "dsl/kernel.h"
#include "runtime/base/error.h"

namespace ks {
using namespace Halide;

Target kernel_target(const std::string &isa) {
    const std::string bare = "-no_asserts-no_bounds_query-no_runtime";
    // Halide's PTX is the same for all architectures from sm_80 on.
    if (isa == "cuda") return Target("x86-64-linux-cuda-cuda_capability_80" + bare);
    std::string features = "x86-64-linux-sse41-avx-avx2-fma-f16c";
    if (isa == "avx512" || isa == "avx512_bf16")
        features += "-avx512-avx512_skylake";
    else if (isa != "avx2")
        throw Error("target " + isa, "not one of avx2, avx512, avx512_bf16, cuda");
    // Halide has no feature for the dot product alone: it comes with the set of Zen 4 and Sapphire Rapids.
    if (isa == "avx512_bf16") features += "-avx512_cannonlake-avx512_zen4";
    return Target(features + bare);
}

bool has_bf16_dot(const Target &target) {
    return target.has_feature(Target::AVX512_Zen4) || target.has_feature(Target::AVX512_SapphireRapids);
}

namespace {

struct FindPseudoCalls : Internal::IRVisitor {
    using IRVisitor::visit;
    std::string found;
    void visit(const Internal::Call *op) override {
        if (op->name.rfind("ks_", 0) == 0) found = op->name;
        IRVisitor::visit(op);
    }
};

} // namespace

void refuse_pseudo_calls(const Internal::Stmt &body, const std::string &kernel) {
    FindPseudoCalls calls;
    body.accept(&calls);
    if (!calls.found.empty()) throw Error(kernel, "pseudo-call " + calls.found + " was not lowered");
}

Module lower_to_module(const Kernel &kernel, const std::string &symbol, const Target &target) {
    try {
        Pipeline pipeline(kernel.outputs);
        for (const auto &pass : kernel.passes)
            if (pass) pipeline.add_custom_lowering_pass(pass.get(), [] {});
        Module module = pipeline.compile_to_module(kernel.arguments, symbol, target);
        for (const auto &pass : kernel.passes)
            if (pass) pass->verify();
        for (const auto &f : module.functions()) refuse_pseudo_calls(f.body, symbol);
        return module;
    } catch (const Halide::Error &e) {
        throw Error(symbol, e.what());
    }
}

void compile(const Kernel &kernel, const std::string &symbol, const Target &target,
             const std::map<OutputFileType, std::string> &outputs) {
    Module module = lower_to_module(kernel, symbol, target);
    try {
        module.compile(outputs);
    } catch (const Halide::Error &e) {
        throw Error(symbol, e.what());
    }
}

} // namespace ks
