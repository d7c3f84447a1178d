/* SPDX-License-Identifier: Apache-2.0
 * Kingsnake kernel pack: C99 interface. The ops and their argument structs are in kingsnake/ops.h, generated
 * from the op contracts.
 *
 * Rules that hold for every op:
 *  - On a CPU ks_<op>(library, args) runs one op on the caller's thread and the library's thread pool and
 * returns when it is done. On a GPU it puts the op on args->stream and returns; operands and seq_start are
 * device memory. It allocates nothing, waits for nothing, prints nothing and reads no environment. A first
 * call of a kernel on a device loads it; after that calls may be captured into a CUDA graph.
 *  - args->size is sizeof(*args); every field is 8 bytes wide. Arrays are row-major, the innermost dimension
 * is contiguous; <name>_stride is the distance of rows in elements (0: dense). No alignment beyond the
 * element's.
 *  - A broken contract (null, range, stride, overlap of an output, no such kernel) is a status before any
 * kernel runs; ks_last_error() then says which field and why.
 *  - A library is immutable after ks_create: any number of threads may launch on it at the same time.
 * Launches that find the pool busy run on their caller's thread alone.
 */
#ifndef KINGSNAKE_KINGSNAKE_H
#define KINGSNAKE_KINGSNAKE_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define KS_PUBLIC __attribute__((visibility("default")))
#else
#define KS_PUBLIC
#endif

typedef enum ks_status {
    KS_OK = 0,
    KS_ERROR_STRUCT_SIZE = 1, /* args->size is not that of this version */
    KS_ERROR_NULL = 2,        /* a required pointer is null */
    KS_ERROR_RANGE = 3,       /* a dimension, choice or offset is outside its legal domain */
    KS_ERROR_STRIDE = 4,      /* a row stride is smaller than its row */
    KS_ERROR_ALIGNMENT = 5,   /* a pointer is not aligned to its element */
    KS_ERROR_OVERLAP = 6,     /* an output overlaps another operand (but for what ops.h allows) */
    KS_ERROR_NO_KERNEL = 7,   /* the pack holds no kernel for these choices and sizes on this CPU */
    KS_ERROR_UNSUPPORTED_CPU = 8,
    KS_ERROR_MEMORY = 9, /* the host or the GPU has none left */
    KS_ERROR_DEVICE = 10 /* no such GPU, or its driver refused the call */
} ks_status;

typedef struct ks_library ks_library;

typedef struct ks_create_args {
    size_t size;
    int64_t threads; /* threads that run kernels, the caller's included; 0: one per core */
    const char *isa; /* "avx2", "avx512", "avx512_bf16"; null: the best that this CPU has; "cuda": a GPU */
    int64_t device;  /* of "cuda": its ordinal, whose primary context is used; else 0 */
} ks_create_args;

/* *library is to be freed with ks_destroy. */
KS_PUBLIC ks_status ks_create(const ks_create_args *args, ks_library **library);
KS_PUBLIC void ks_destroy(ks_library *library);
KS_PUBLIC const char *ks_isa(const ks_library *library); /* as asked for, or chosen */
KS_PUBLIC int64_t ks_threads(const ks_library *library);

KS_PUBLIC const char *ks_status_text(ks_status status);
/* One line about the last error on this thread; valid until the next call on it. */
KS_PUBLIC const char *ks_last_error(void);

#ifdef __cplusplus
}
#endif
#endif
