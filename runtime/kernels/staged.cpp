// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/staged.h"
#include "runtime/base/error.h"
#include "runtime/kernels/launch.h"

namespace ks {

void *StagedCall::copied(const void *host, size_t bytes, bool written) {
    cuda::DeviceMemory memory(*library_.device, bytes);
    memory.copy_from(host, bytes);
    cuda::Address address = memory.address();
    copies_.push_back({static_cast<uint8_t *>(const_cast<void *>(host)), bytes, written, std::move(memory)});
    return reinterpret_cast<void *>(address);
}

StagedCall::StagedCall(const ks_library &library, const Call &call) : library_(library), call_(call) {
    if (call.seq_start)
        call_.seq_start = static_cast<const int64_t *>(
            copied(call.seq_start, static_cast<size_t>(call.sequences + 1) * sizeof(int64_t), false));
    for (int i = 0; i < call.op->operand_count; i++) {
        const OperandInfo &o = call.op->operands[i];
        if (!call.operands[i].data) continue;
        Range span = range_of(call.operands[i], o.rank, call.sequences);
        bool written = o.role == OperandRole::output || o.role == OperandRole::in_place;
        call_.operands[i].data = static_cast<uint8_t *>(
            copied(call.operands[i].data, static_cast<size_t>(span.high - span.low), written));
    }
    call_.alignment = call_.common_alignment();
}

ks_status StagedCall::launch(void *stream) {
    call_.stream = stream;
    return ks::launch(library_, call_);
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
        StagedCall staged(*library, call);
        if (ks_status s = staged.launch(nullptr)) return s;
        staged.fetch();
    } catch (const cuda::OutOfMemory &e) {
        return fail(KS_ERROR_MEMORY, std::string(call.op->name) + ": " + e.what());
    } catch (const Error &e) {
        return fail(KS_ERROR_DEVICE, std::string(call.op->name) + ": " + e.what());
    }
    return KS_OK;
}

} // namespace ks
