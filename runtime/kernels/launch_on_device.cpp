// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/launch_on_device.h"

namespace ks {

namespace {

// Kernel arguments of a packed call (dsl/operands.h), which outlive the launch only until the driver has
// copied them.
struct Arguments {
    KernelBuffer buffers[max_operands + 1];
    KernelDim dims[max_operands + 1][max_rank + 1];
    int32_t equal_steps, alignment;
    void *list[max_operands + max_scalars + 3];
    int count = 0;

    void add(void *argument) { list[count++] = argument; }
};

uint64_t address(const void *pointer) { return reinterpret_cast<uint64_t>(pointer); }

KernelDim dim(int64_t extent, int64_t stride) {
    return {0, static_cast<int32_t>(extent), static_cast<int32_t>(stride), 0};
}

// An operand of all sequences. States have a dimension for them; the rows of an output too, of stride 0,
// because each block works out where its sequence begins.
void fill(const Call &call, int index, Arguments &a) {
    const OperandInfo *info = &call.op->operands[index];
    const CallOperand *o = &call.operands[index];
    bool output = info->role == OperandRole::output, per_sequence = info->per_sequence;
    if (!o->data) { // read, and not used, in place of the missing one
        o = &call.operands[info->stand_in];
        info = &call.op->operands[info->stand_in];
    }
    KernelDim *dims = a.dims[index];
    int rank = o->rank;
    for (int i = 0; i < rank; i++) dims[rank - 1 - i] = dim(o->extent[i], o->stride[i]);
    // Where all are equally long the grid need not reach further than that.
    for (int i = 0; output && i < o->rank; i++)
        if (call.op->ragged >= 0 && info->shape[i] == call.op->ragged && !call.seq_start)
            dims[o->rank - 1 - i].extent = static_cast<int32_t>(call.start(1));
    if (call.op->ragged >= 0 && (output || per_sequence))
        dims[rank++] = dim(call.sequences, per_sequence ? o->sequence_stride : 0);
    a.buffers[index] = {address(o->data), nullptr, nullptr, 0, kernel_type(*info, *o), rank, dims, nullptr};
}

} // namespace

ks_status launch_on_device(const cuda::OpenDevice &device, const Call &call, const KernelInfo &kernel) {
    const OpInfo &op = *call.op;
    Arguments a;
    for (int i = 0; i < op.operand_count; i++) fill(call, i, a);
    for (int i = 0; i < op.operand_count; i++)
        if (op.operands[i].role != OperandRole::output) a.add(&a.buffers[i]);
    if (op.ragged >= 0) {
        KernelBuffer &starts = a.buffers[op.operand_count];
        a.dims[op.operand_count][0] = dim(call.sequences + 1, 1);
        starts = {address(call.seq_start),  nullptr, nullptr, 0, {kernel_int, 64, 1}, 1,
                  a.dims[op.operand_count], nullptr};
        a.add(&starts);
    }
    for (int i = 0; i < op.scalar_count; i++)
        a.add(const_cast<void *>(static_cast<const void *>(&call.scalars[i])));
    a.equal_steps = op.ragged >= 0 && !call.seq_start ? static_cast<int32_t>(call.start(1)) : 0;
    a.alignment = call.alignment;
    if (op.ragged >= 0) a.add(&a.equal_steps), a.add(&a.alignment);
    for (int i = 0; i < op.operand_count; i++)
        if (op.operands[i].role == OperandRole::output) a.add(&a.buffers[i]);
    cuda::LaunchScope scope(device, static_cast<cuda::Stream>(call.stream));
    kernel.call(a.list);
    if (scope.error().empty()) return KS_OK;
    return fail(scope.out_of_memory() ? KS_ERROR_MEMORY : KS_ERROR_DEVICE,
                std::string(op.name) + ": " + scope.error());
}

} // namespace ks
