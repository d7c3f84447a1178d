// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/staged.h"
#include "runtime/base/error.h"
#include "runtime/kernels/call.h"
#include "runtime/kernels/cuda/memory.h"
#include "runtime/kernels/launch.h"
#include <cstring>

namespace ks {

namespace {

// The bytes that a call reaches through one field of its struct, and their copy on the device.
struct Copy {
    size_t slot; // of the pointer
    uint8_t *host;
    size_t bytes;
    bool written;
    cuda::DeviceMemory memory;
};

std::vector<Copy> copies_of(const cuda::OpenDevice &device, const Call &call) {
    const OpInfo &op = *call.op;
    std::vector<Copy> copies;
    auto add = [&](size_t slot, const void *host, size_t bytes, bool written) {
        cuda::DeviceMemory memory(device, bytes);
        memory.copy_from(host, bytes);
        copies.push_back(
            {slot, static_cast<uint8_t *>(const_cast<void *>(host)), bytes, written, std::move(memory)});
    };
    size_t slot = 2 + static_cast<size_t>(op.dim_count + op.choice_count);
    if (op.ragged >= 0) {
        slot++; // sequences
        if (call.seq_start)
            add(slot, call.seq_start, static_cast<size_t>(call.sequences + 1) * sizeof(int64_t), false);
        slot++;
    }
    for (int i = 0; i < op.operand_count; i++) {
        const OperandInfo &o = op.operands[i];
        if (call.operands[i].data) {
            Range span = range_of(call.operands[i], o.rank, call.sequences);
            bool written = o.role == OperandRole::output || o.role == OperandRole::in_place;
            add(slot, call.operands[i].data, static_cast<size_t>(span.high - span.low), written);
        }
        slot += o.strided ? 2 : 1;
    }
    return copies;
}

} // namespace

ks_status launch_staged(const ks_library *library, int op, const void *args) {
    if (!library || !library->device) return launch(library, op, args);
    Call call;
    if (ks_status s = call.read(kernel_table.ops[op], args, false))
        return s; // on the host, where it all lies
    try {
        std::vector<Copy> copies = copies_of(*library->device, call);
        int64_t size;
        std::memcpy(&size, args, sizeof size);
        std::vector<int64_t> slots(static_cast<size_t>(size) / 8);
        std::memcpy(slots.data(), args, static_cast<size_t>(size));
        for (const Copy &c : copies) slots[c.slot] = static_cast<int64_t>(c.memory.address());
        if (ks_status s = launch(library, op, slots.data())) return s;
        cuda::synchronize(*library->device);
        for (const Copy &c : copies)
            if (c.written) c.memory.copy_to(c.host, c.bytes);
    } catch (const Error &e) {
        return fail(KS_ERROR_DEVICE, std::string(call.op->name) + ": " + e.what());
    }
    return KS_OK;
}

} // namespace ks
