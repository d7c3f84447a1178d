// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/library.h"
#include "runtime/base/cpu.h"
#include "runtime/base/error.h"
#include <algorithm>
#include <new>

namespace ks {

namespace {

thread_local std::string last_error;

// `device`: null for the CPU.
bool runs_on(const cuda::OpenDevice *device, const KernelInfo &k) {
    if (!device) return !k.device && !k.capability;
    return (!k.device || device->name == k.device) &&
           (!k.capability || device->major * 10 + device->minor == k.capability);
}

} // namespace

ks_status fail(ks_status status, const std::string &message) {
    last_error = message;
    return status;
}

} // namespace ks

using namespace ks;

ks_status ks_create(const ks_create_args *args, ks_library **library) {
    if (!args || !library) return fail(KS_ERROR_NULL, "ks_create: args or library is null");
    if (args->size != sizeof *args)
        return fail(KS_ERROR_STRUCT_SIZE, "ks_create: args->size is of another version");
    if (args->threads < 0 || args->threads > 1024)
        return fail(KS_ERROR_RANGE, "ks_create: threads must be 0 to 1024");
    std::string isa = args->isa ? args->isa : best_isa();
    if (isa.empty())
        return fail(KS_ERROR_UNSUPPORTED_CPU,
                    "this CPU has neither AVX-512 nor AVX2 with FMA and F16C, which the "
                    "kernels of this pack need");
    bool gpu = isa == "cuda";
    if (!gpu && !cpu_has(isa))
        return fail(KS_ERROR_UNSUPPORTED_CPU, "this CPU cannot run kernels for '" + isa + "'");
    if (gpu ? args->device < 0 || args->device > INT32_MAX : args->device != 0)
        return fail(KS_ERROR_RANGE, "ks_create: device must be the ordinal of a GPU, and 0 without one");
    try {
        auto made = std::make_unique<ks_library>();
        made->isa = isa;
        if (gpu) made->device = &cuda::device(static_cast<int>(args->device));
        int threads = gpu ? 1 : static_cast<int>(args->threads);
        if (!threads) threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
        made->pool = std::make_unique<ThreadPool>(threads);
        made->kernels.resize(static_cast<size_t>(kernel_table.op_count));
        for (int i = 0; i < kernel_table.kernel_count; i++) {
            const KernelInfo &k = kernel_table.kernels[i];
            if (isa_runs(isa, k.isa) && runs_on(made->device, k))
                made->kernels[static_cast<size_t>(k.op)].push_back(&k);
        }
        *library = made.release();
        return KS_OK;
    } catch (const cuda::OutOfMemory &e) {
        return fail(KS_ERROR_MEMORY, std::string("ks_create: ") + e.what());
    } catch (const Error &e) {
        return fail(KS_ERROR_DEVICE, std::string("ks_create: ") + e.what());
    } catch (const std::exception &e) {
        return fail(KS_ERROR_MEMORY, std::string("ks_create: ") + e.what());
    }
}

void ks_destroy(ks_library *library) { delete library; }
const char *ks_isa(const ks_library *library) { return library->isa.c_str(); }
int64_t ks_threads(const ks_library *library) { return library->pool->threads(); }
const char *ks_last_error(void) { return last_error.c_str(); }

const char *ks_status_text(ks_status status) {
    switch (status) {
    case KS_OK:
        return "no error";
    case KS_ERROR_STRUCT_SIZE:
        return "argument struct of another version";
    case KS_ERROR_NULL:
        return "a required pointer is null";
    case KS_ERROR_RANGE:
        return "a value is outside its legal domain";
    case KS_ERROR_STRIDE:
        return "a row stride is smaller than its row";
    case KS_ERROR_ALIGNMENT:
        return "a pointer is not aligned to its element";
    case KS_ERROR_OVERLAP:
        return "an output overlaps another operand";
    case KS_ERROR_NO_KERNEL:
        return "the pack holds no kernel for this call";
    case KS_ERROR_UNSUPPORTED_CPU:
        return "the CPU lacks an instruction set";
    case KS_ERROR_MEMORY:
        return "out of memory";
    case KS_ERROR_DEVICE:
        return "no such GPU, or its driver refused";
    }
    return "unknown status";
}
