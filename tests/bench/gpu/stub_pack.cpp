// SPDX-License-Identifier: Apache-2.0
// A stand-in for libkingsnake.so with the op `scale`: y = factor * x over T numbers in host memory. The
// struct below is what the test plants as ops.h.
#include <cstddef>
#include <cstdint>
#include <cstring>

extern "C" {

struct CreateArgs {
    size_t size;
    int64_t threads;
    const char *isa;
    int64_t device;
};

struct ScaleArgs {
    size_t size;
    void *stream;
    int64_t T, io;
    const float *x;
    float *y;
    double factor;
};

static const char *last = "";

int ks_create(const CreateArgs *args, void **library) {
    static int handle;
    *library = &handle;
    last = "nothing for this GPU";
    if (args->size != sizeof *args || std::strcmp(args->isa, "cuda")) return 1;
    return args->device == 3 ? 10 : args->device == 4 ? 7 : 0;
}

void ks_destroy(void *) {}

const char *ks_last_error() { return last; }

int ks_scale_supported(const void *library, const ScaleArgs *args) {
    if (!library || args->size != sizeof *args) return 1;
    last = args->T > 8 ? "no kernel for T = 9" : "x is null";
    return args->T > 8 ? 7 : args->x ? 0 : 2;
}

int ks_scale(const void *, const ScaleArgs *args) {
    last = "stream: must be 77";
    if (args->stream != reinterpret_cast<void *>(77) || args->io != 1) return 3;
    for (int64_t t = 0; t < args->T; t++) args->y[t] = static_cast<float>(args->factor) * args->x[t];
    return 0;
}
}
