// SPDX-License-Identifier: Apache-2.0
// The compiled form of contracts and dispatch rules: plain data that `ksc pack` generates, read by
// launch.cpp.
#pragma once
#include <cstdint>

namespace ks {

constexpr int max_dims = 8, max_choices = 6, max_operands = 16, max_rank = 4, max_scalars = 4;

enum class OperandRole : uint8_t { input, optional, output, in_place };

struct DimInfo {
    const char *name;
    int64_t low, high;
};

struct ChoiceInfo {
    const char *name;
    const char *const *values; // null-terminated; the C API passes the index
};

struct OperandInfo {
    const char *name;
    OperandRole role;
    bool strided, per_sequence;
    int8_t rank;
    int8_t type;            // 0 f32, 1 i32, else 2 + index of the choice that names its storage
    int8_t shape[max_rank]; // outermost first: index of a dimension, or -1 - index of a numeric choice
    int8_t plus[max_rank];  // added to it: "E+1"
    int16_t flag;
    int8_t stand_in; // operand index, or -1; what it means: dsl/contract.h
};

struct ScalarInfo {
    const char *name;
    bool real;
};

struct OpInfo {
    const char *name;
    int version;
    int dim_count, choice_count, operand_count, scalar_count;
    const DimInfo *dims;
    const ChoiceInfo *choices;
    const OperandInfo *operands;
    const ScalarInfo *scalars;
    int slice, granule, ragged; // dimension indices, or -1
    bool dense_when_fixed;      // dsl/contract.h
};

// One kernel and the box of calls it serves. Within an op the more special come first; the first match runs.
struct KernelInfo {
    int op;
    const char *isa;
    int choices[max_choices];
    int64_t low[max_dims], high[max_dims], multiple[max_dims];
    int64_t fewest_sequences, most_sequences; // of ops with a ragged axis
    const char *device; // name of the GPU that it was tuned on, the only one it serves; null: any
    int capability;     // of a GPU, major * 10 + minor, the only one that has its instructions; 0: any
    bool base;          // serves any size and any alignment
    const char *knobs;
    int (*call)(void **arguments);
};

struct KernelTable {
    const OpInfo *ops;
    int op_count;
    const KernelInfo *kernels;
    int kernel_count;
};

extern const KernelTable kernel_table; // defined by the pack

} // namespace ks
