// SPDX-License-Identifier: Apache-2.0
// A call's argument struct, unpacked and checked against its op's contract.
#pragma once
#include "runtime/kernels/library.h"

namespace ks {

struct CallOperand {
    uint8_t *data;            // null: optional and absent
    int64_t stride[max_rank]; // in elements, outermost first
    int64_t extent[max_rank];
    int64_t sequence_stride; // in elements; 0 where all sequences share the operand
    int element;             // bytes
};

struct Call {
    const OpInfo *op;
    int64_t dims[max_dims];
    int choices[max_choices];
    int64_t sequences;
    const int64_t *seq_start; // null: one sequence over the whole ragged axis
    CallOperand operands[max_operands];
    union {
        int32_t integer;
        float real;
    } scalars[max_scalars];

    // Reads and checks `args`; on failure sets the text of ks_last_error.
    ks_status read(const OpInfo &info, const void *args);

  private:
    ks_status read_sequences(const int64_t *&slot);
    ks_status read_operand(int index, const int64_t *&slot);
    ks_status check_overlaps() const;
};

} // namespace ks
