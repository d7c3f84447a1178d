// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/staged.h"
#include "runtime/base/error.h"
#include "runtime/kernels/call.h"
#include "runtime/kernels/launch.h"
#include <cstring>

namespace ks {

void StagedCall::add(size_t slot, const void *host, size_t bytes, bool written) {
    cuda::DeviceMemory memory(*library_.device, bytes);
    memory.copy_from(host, bytes);
    slots_[slot] = static_cast<int64_t>(memory.address());
    copies_.push_back({static_cast<uint8_t *>(const_cast<void *>(host)), bytes, written, std::move(memory)});
}

StagedCall::StagedCall(const ks_library &library, int op, const void *args) : library_(library), op_(op) {
    const OpInfo &info = kernel_table.ops[op];
    Call call;
    if (call.read(info, args, false)) throw Error(ks_last_error());
    int64_t size;
    std::memcpy(&size, args, sizeof size);
    slots_.resize(static_cast<size_t>(size) / 8);
    std::memcpy(slots_.data(), args, static_cast<size_t>(size));
    size_t slot = 2 + static_cast<size_t>(info.dim_count + info.choice_count); // behind size and stream
    if (info.ragged >= 0) {
        slot++; // sequences
        if (call.seq_start)
            add(slot, call.seq_start, static_cast<size_t>(call.sequences + 1) * sizeof(int64_t), false);
        slot++;
    }
    for (int i = 0; i < info.operand_count; i++) {
        const OperandInfo &o = info.operands[i];
        if (call.operands[i].data) {
            Range span = range_of(call.operands[i], o.rank, call.sequences);
            bool written = o.role == OperandRole::output || o.role == OperandRole::in_place;
            add(slot, call.operands[i].data, static_cast<size_t>(span.high - span.low), written);
        }
        slot += o.strided ? 2 : 1;
    }
}

ks_status StagedCall::launch(void *stream) {
    std::memcpy(&slots_[1], &stream, sizeof stream);
    return ks::launch(&library_, op_, slots_.data());
}

void StagedCall::fetch() {
    cuda::synchronize(*library_.device);
    for (const Copy &c : copies_)
        if (c.written) c.memory.copy_to(c.host, c.bytes);
}

ks_status launch_staged(const ks_library *library, int op, const void *args) {
    if (!library || !library->device) return launch(library, op, args);
    Call call;
    if (ks_status s = call.read(kernel_table.ops[op], args, false))
        return s; // on the host, where it all lies
    try {
        StagedCall staged(*library, op, args);
        if (ks_status s = staged.launch(nullptr)) return s;
        staged.fetch();
    } catch (const Error &e) {
        return fail(KS_ERROR_DEVICE, std::string(call.op->name) + ": " + e.what());
    }
    return KS_OK;
}

} // namespace ks
