// SPDX-License-Identifier: Apache-2.0
#include "tests/support/jit_kernel.h"
#include "runtime/base/error.h"
#include <cstdlib>

namespace ks::test {
using namespace Halide;

namespace {

thread_local int allocations = 0;

void *counted_malloc(JITUserContext *, size_t bytes) {
    allocations++;
    return std::aligned_alloc(128, (bytes + 127) / 128 * 128);
}

void counted_free(JITUserContext *, void *memory) { std::free(memory); }

Target jit_target(const Target &target) {
    return target.without_feature(Target::NoRuntime)
        .without_feature(Target::NoBoundsQuery)
        .with_feature(Target::JIT);
}

Callable jit(const Kernel &kernel, const Target &target) {
    try {
        Pipeline pipeline(kernel.outputs);
        pipeline.jit_handlers().custom_malloc = counted_malloc;
        pipeline.jit_handlers().custom_free = counted_free;
        for (const auto &pass : kernel.passes)
            if (pass) pipeline.add_custom_lowering_pass(pass.get(), [] {});
        Callable callable = pipeline.compile_to_callable(kernel.arguments, jit_target(target));
        for (const auto &pass : kernel.passes)
            if (pass) pass->verify();
        return callable;
    } catch (const Halide::Error &e) {
        throw Error("jit kernel", e.what());
    }
}

} // namespace

JitKernel::JitKernel(const Kernel &kernel, const Target &target)
    : callable_(jit(kernel, target)), arguments_(kernel.arguments.size()) {
    for (const Func &f : kernel.outputs) arguments_ += static_cast<size_t>(f.outputs());
}

int JitKernel::operator()(const std::vector<void *> &args) const {
    if (args.size() != arguments_)
        throw Error("jit kernel",
                    "takes " + std::to_string(arguments_) + " arguments, not " + std::to_string(args.size()));
    JITUserContext context{}, *address = &context;
    std::vector<const void *> argv = {&address};
    argv.insert(argv.end(), args.begin(), args.end());
    allocations = 0;
    int status = callable_.call_argv_fast(argv.size(), argv.data());
    if (allocations) throw Error("jit kernel", "asked for heap memory");
    return status;
}

bool cpu_runs(const std::string &isa) {
    bool narrow = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool wide = narrow && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
    if (isa == "avx512_bf16")
        return wide && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vbmi2") &&
               __builtin_cpu_supports("avx512vnni");
    return isa == "avx512" ? wide : narrow;
}

} // namespace ks::test
