// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/launch.h"
#include "runtime/kernels/buffer_abi.h"
#include "runtime/kernels/launch_on_device.h"
#include <algorithm>

namespace ks {

namespace {

// All but the base kernels of a GPU move 16 bytes at a time, and those with tensor maps or constant strides
// want dense rows; a call that is not made for that takes the base kernel.
bool is_regular(const Call &call) {
    return call.alignment >= 16 && (!call.op->dense_when_fixed || call.dense());
}

const KernelInfo *find(const ks_library &library, const Call &call) {
    const bool all = !library.device || is_regular(call);
    for (const KernelInfo *k : library.kernels[static_cast<size_t>(call.op - kernel_table.ops)]) {
        bool match = std::equal(call.choices, call.choices + call.op->choice_count, k->choices) &&
                     call.sequences >= k->fewest_sequences && call.sequences <= k->most_sequences;
        for (int i = 0; match && i < call.op->dim_count; i++)
            match = call.dims[i] >= k->low[i] && call.dims[i] <= k->high[i] &&
                    call.dims[i] % k->multiple[i] == 0;
        if (match && (k->base || all)) return k;
    }
    return nullptr;
}

ks_status no_kernel(const ks_library &library, const Call &call) {
    return fail(KS_ERROR_NO_KERNEL, std::string(call.op->name) + ": the pack has no kernel for " +
                                        library.isa + " with these choices");
}

ks_status read(const ks_library *library, int op, const void *args, Call &call) {
    if (!library) return fail(KS_ERROR_NULL, "the library is null");
    return call.read(kernel_table.ops[op], args, library->device != nullptr);
}

// The flags scalar, with the bits of the optional operands that are there.
void set_presence(Call &call) {
    for (int i = 0; i < call.op->operand_count; i++) {
        const OperandInfo &o = call.op->operands[i];
        if (o.role != OperandRole::optional || !o.flag) continue;
        int32_t &flags = call.scalars[0].integer;
        flags = call.operands[i].data ? flags | o.flag : flags & ~o.flag;
    }
}

// How a call is cut: `parts` slices of the sliced dimension for each sequence.
struct Plan {
    const Call *call;
    const KernelInfo *kernel;
    int64_t slice_length; // in elements of the sliced dimension
    int parts;
};

Plan plan(const Call &call, const KernelInfo *kernel, int threads) {
    Plan p{&call, kernel, 0, 1};
    if (call.op->slice < 0) return p;
    // Below this much data a task costs more to hand out than to run.
    constexpr int64_t least_bytes = 1 << 15;
    int64_t extent = call.dims[call.op->slice], granule = call.op->granule, bytes = 0;
    for (int i = 0; i < call.op->operand_count; i++) {
        const CallOperand &o = call.operands[i];
        if (!o.data) continue;
        int64_t size = o.element;
        for (int r = 0; r < call.op->operands[i].rank; r++) size *= o.extent[r];
        bytes += size;
    }
    int64_t wanted = std::min<int64_t>(std::max<int64_t>(1, bytes / call.sequences / least_bytes),
                                       (2 * threads + call.sequences - 1) / call.sequences);
    if (threads == 1) wanted = 1;
    int64_t granules = (extent + granule - 1) / granule;
    wanted = std::min(wanted, granules);
    p.slice_length = (granules + wanted - 1) / wanted * granule;
    p.parts = static_cast<int>((extent + p.slice_length - 1) / p.slice_length);
    return p;
}

struct Views {
    KernelBuffer buffers[max_operands];
    KernelDim dims[max_operands][max_rank];
};

// Operand `index` of one task: its rows of the sequence and its part of the sliced dimension.
void view(const Plan &p, int index, int64_t sequence, int64_t part, Views &v) {
    const Call &call = *p.call;
    const OperandInfo *info = &call.op->operands[index];
    const CallOperand *o = &call.operands[index];
    if (!o->data) { // read, and not used, in place of the missing one
        o = &call.operands[info->stand_in];
        info = &call.op->operands[info->stand_in];
    }
    uint8_t *data = o->data + sequence * o->sequence_stride * o->element;
    KernelBuffer &b = v.buffers[index];
    for (int i = 0; i < o->rank; i++) {
        int64_t extent = o->extent[i], first = 0;
        if (info->shape[i] == call.op->ragged && call.op->ragged >= 0) {
            first = call.start(sequence);
            extent = call.start(sequence + 1) - first;
        } else if (info->shape[i] == call.op->slice && call.op->slice >= 0) {
            first = part * p.slice_length;
            extent = std::min(extent - first, p.slice_length);
        }
        data += first * o->stride[i] * o->element;
        v.dims[index][o->rank - 1 - i] = {0, static_cast<int32_t>(extent), static_cast<int32_t>(o->stride[i]),
                                          0};
    }
    b = {0, nullptr, data, 0, kernel_type(*info, *o), o->rank, v.dims[index], nullptr};
}

void run_task(void *context, int task) {
    const Plan &p = *static_cast<const Plan *>(context);
    const OpInfo &op = *p.call->op;
    Views views;
    void *arguments[max_operands + max_scalars];
    int count = 0;
    int64_t sequence = task / p.parts, part = task % p.parts;
    for (int i = 0; i < op.operand_count; i++) view(p, i, sequence, part, views);
    for (int i = 0; i < op.operand_count; i++)
        if (op.operands[i].role != OperandRole::output) arguments[count++] = &views.buffers[i];
    for (int i = 0; i < op.scalar_count; i++)
        arguments[count++] = const_cast<void *>(static_cast<const void *>(&p.call->scalars[i]));
    for (int i = 0; i < op.operand_count; i++)
        if (op.operands[i].role == OperandRole::output) arguments[count++] = &views.buffers[i];
    p.kernel->call(arguments);
}

} // namespace

ks_status supported(const ks_library *library, int op, const void *args) {
    Call call;
    if (ks_status s = read(library, op, args, call)) return s;
    return find(*library, call) ? KS_OK : no_kernel(*library, call);
}

ks_status launch(const ks_library *library, int op, const void *args) {
    Call call;
    if (ks_status s = read(library, op, args, call)) return s;
    return launch(*library, call);
}

ks_status launch(const ks_library &library, Call &call) {
    const KernelInfo *kernel = find(library, call);
    if (!kernel) return no_kernel(library, call);
    set_presence(call);
    if (library.device) return launch_on_device(*library.device, call, *kernel);
    Plan p = plan(call, kernel, library.pool->threads());
    library.pool->run(static_cast<int>(call.sequences) * p.parts, run_task, &p);
    return KS_OK;
}

} // namespace ks
