// SPDX-License-Identifier: Apache-2.0
// A call's argument struct, unpacked and checked against its op's contract.
#pragma once
#include "runtime/kernels/buffer_abi.h"
#include "runtime/kernels/library.h"

namespace ks {

struct CallOperand {
    uint8_t *data;            // null: optional and absent
    int64_t stride[max_rank]; // in elements, outermost first
    int64_t extent[max_rank];
    int64_t sequence_stride; // in elements; 0 where all sequences share the operand
    int rank;                // dimensions that kernels are told of (dsl/contract.h, buffer_shape)
    int element;             // bytes
};

struct Range {
    uintptr_t low, high; // bytes, high is one past
};
Range range_of(const CallOperand &operand, int rank, int64_t sequences); // all that a call may touch of it

struct Call {
    const OpInfo *op;
    void *stream;
    int64_t dims[max_dims];
    int choices[max_choices];
    int64_t sequences;
    const int64_t *seq_start; // null: `sequences` of equal length along the ragged axis
    CallOperand operands[max_operands];
    union {
        int32_t integer;
        float real;
    } scalars[max_scalars];

    // On a device: the largest power of two, up to 16, that divides every address and, unless the op's kernels
    // for known widths want dense rows, every distance between rows, in bytes.
    int32_t alignment;

    // Reads and checks `args`; on failure sets the text of ks_last_error. With `on_device` the operands and
    // seq_start are memory that only a GPU reads.
    ks_status read(const OpInfo &info, const void *args, bool on_device);

    // Where sequence `s` begins along the ragged axis; s = sequences: its end. Not for calls on a device.
    int64_t start(int64_t s) const { return seq_start ? seq_start[s] : dims[op->ragged] / sequences * s; }

    // `alignment` of a call whose operands were moved to a device after it was read.
    int32_t common_alignment() const;

    // Whether rows follow each other without gaps in every operand.
    bool dense() const;

  private:
    ks_status read_sequences(const int64_t *&slot, bool on_device);
    ks_status read_operand(int index, const int64_t *&slot);
    ks_status check_overlaps() const;
};

// The element type of an operand as kernels are told it.
inline KernelType kernel_type(const OperandInfo &info, const CallOperand &o) {
    uint8_t code = info.type == 0 || o.element == 4 ? kernel_float : kernel_uint;
    if (info.type == 1) code = kernel_int;
    return {code, static_cast<uint8_t>(o.element * 8), 1};
}

} // namespace ks
