// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/call.h"
#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace ks {

namespace {

std::string where(const OpInfo &op, const char *field) { return std::string(op.name) + "." + field; }

int storage_bytes(const char *storage) { return std::strcmp(storage, "f32") == 0 ? 4 : 2; }

// Columns of one matrix: same row pitch, disjoint windows inside a row.
bool interleaved(const CallOperand &a, int rank_a, const CallOperand &b, int rank_b) {
    if (rank_a < 2 || rank_b < 2) return false;
    int64_t pitch = a.stride[0] * a.element;
    if (pitch != b.stride[0] * b.element) return false;
    auto width = [](const CallOperand &o, int rank) {
        int64_t last = 0;
        for (int i = 1; i < rank; i++) last += (o.extent[i] - 1) * o.stride[i];
        return (last + 1) * o.element;
    };
    auto distance =
        static_cast<int64_t>(reinterpret_cast<uintptr_t>(b.data) - reinterpret_cast<uintptr_t>(a.data));
    int64_t offset = ((distance % pitch) + pitch) % pitch;
    return offset >= width(a, rank_a) && offset + width(b, rank_b) <= pitch;
}

// Element for element the same memory.
bool same(const CallOperand &a, const CallOperand &b, int rank) {
    return a.data == b.data && a.element == b.element && std::equal(a.stride, a.stride + rank, b.stride);
}

} // namespace

Range range_of(const CallOperand &o, int rank, int64_t sequences) {
    int64_t last = o.sequence_stride * (sequences - 1);
    for (int i = 0; i < rank; i++) last += (o.extent[i] - 1) * o.stride[i];
    auto low = reinterpret_cast<uintptr_t>(o.data);
    return {low, low + static_cast<uintptr_t>((last + 1) * o.element)};
}

ks_status Call::read(const OpInfo &info, const void *args, bool on_device) {
    op = &info;
    if (!args) return fail(KS_ERROR_NULL, where(info, "args") + " is null");
    const auto *slot = static_cast<const int64_t *>(args);
    int slots = 2 + info.dim_count + info.choice_count + (info.ragged >= 0 ? 2 : 0) + info.scalar_count;
    for (int i = 0; i < info.operand_count; i++) slots += info.operands[i].strided ? 2 : 1;
    if (*slot++ != slots * 8)
        return fail(KS_ERROR_STRUCT_SIZE, where(info, "size") + " is not that of this version");
    std::memcpy(&stream, slot++, 8);
    if (stream && !on_device) return fail(KS_ERROR_RANGE, where(info, "stream") + " must be null on a CPU");
    for (int i = 0; i < info.dim_count; i++) {
        dims[i] = *slot++;
        const DimInfo &d = info.dims[i];
        if (dims[i] < d.low || dims[i] > d.high)
            return fail(KS_ERROR_RANGE, where(info, d.name) + " is " + std::to_string(dims[i]) + ", not in " +
                                            std::to_string(d.low) + ".." + std::to_string(d.high));
    }
    for (int i = 0; i < info.choice_count; i++) {
        int64_t count = 0, value = *slot++;
        while (info.choices[i].values[count]) count++;
        if (value < 0 || value >= count)
            return fail(KS_ERROR_RANGE, where(info, info.choices[i].name) + " is unknown");
        choices[i] = static_cast<int>(value);
    }
    sequences = 1;
    seq_start = nullptr;
    if (info.ragged >= 0)
        if (ks_status s = read_sequences(slot, on_device)) return s;
    for (int i = 0; i < info.operand_count; i++)
        if (ks_status s = read_operand(i, slot)) return s;
    for (int i = 0; i < info.scalar_count; i++, slot++) {
        double real;
        std::memcpy(&real, slot, 8);
        if (info.scalars[i].real)
            scalars[i].real = static_cast<float>(real);
        else
            scalars[i].integer = static_cast<int32_t>(*slot);
    }
    alignment = on_device ? common_alignment() : 0;
    return check_overlaps();
}

bool Call::dense() const {
    for (int i = 0; i < op->operand_count; i++) {
        const CallOperand &o = operands[i];
        int64_t row = 1;
        for (int r = 1; r < op->operands[i].rank; r++) row *= o.extent[r];
        if (o.data && op->operands[i].rank && o.stride[0] != row) return false;
    }
    return true;
}

int32_t Call::common_alignment() const {
    uint64_t bits = 16;
    for (int i = 0; i < op->operand_count; i++) {
        const CallOperand &o = operands[i];
        if (!o.data) continue; // its stand-in is another one's memory
        auto bytes = static_cast<uint64_t>(o.element);
        bits |= reinterpret_cast<uint64_t>(o.data) | static_cast<uint64_t>(o.sequence_stride) * bytes;
        // A kernel that wants dense rows knows their strides, and what they are multiples of.
        for (int r = 0; r + 1 < o.rank && !op->dense_when_fixed; r++)
            bits |= static_cast<uint64_t>(o.stride[r]) * bytes;
    }
    return static_cast<int32_t>(bits & -bits);
}

ks_status Call::read_sequences(const int64_t *&slot, bool on_device) {
    sequences = *slot++;
    std::memcpy(&seq_start, slot++, 8);
    int64_t steps = dims[op->ragged];
    if (sequences < 1 || sequences > steps) // before anything is read through seq_start
        return fail(KS_ERROR_RANGE, where(*op, "sequences") + " must be 1 to " + std::to_string(steps));
    if (!seq_start)
        return steps % sequences == 0
                   ? KS_OK
                   : fail(KS_ERROR_RANGE, where(*op, "seq_start") + " is null, and " +
                                              std::to_string(sequences) + " equal sequences do not make " +
                                              std::to_string(steps));
    if (reinterpret_cast<uintptr_t>(seq_start) % sizeof(int64_t))
        return fail(KS_ERROR_ALIGNMENT, where(*op, "seq_start") + " is not aligned to its element");
    if (on_device) return KS_OK; // what it holds is known to the device alone
    if (seq_start[0] != 0 || seq_start[sequences] != steps)
        return fail(KS_ERROR_RANGE, where(*op, "seq_start") + " must run from 0 to " + std::to_string(steps));
    for (int64_t s = 0; s < sequences; s++)
        if (seq_start[s] >= seq_start[s + 1])
            return fail(KS_ERROR_RANGE, where(*op, "seq_start") + " must rise: no sequence is empty");
    return KS_OK;
}

ks_status Call::read_operand(int index, const int64_t *&slot) {
    const OperandInfo &o = op->operands[index];
    CallOperand &c = operands[index];
    std::memcpy(&c.data, slot++, 8);
    int64_t given = o.strided ? *slot++ : 0;
    if (!c.data) {
        if (o.role == OperandRole::optional) return KS_OK;
        return fail(KS_ERROR_NULL, where(*op, o.name) + " is null");
    }
    c.element = o.type < 2 ? 4 : storage_bytes(op->choices[o.type - 2].values[choices[o.type - 2]]);
    if (reinterpret_cast<uintptr_t>(c.data) % static_cast<uintptr_t>(c.element))
        return fail(KS_ERROR_ALIGNMENT, where(*op, o.name) + " is not aligned to its element");
    int64_t dense = 1;
    for (int i = o.rank - 1; i >= 0; i--) {
        int s = o.shape[i];
        c.extent[i] = (s >= 0 ? dims[s] : std::atoi(op->choices[-1 - s].values[choices[-1 - s]])) + o.plus[i];
        c.stride[i] = dense;
        if (i == 0 && given) {
            if (given < dense)
                return fail(KS_ERROR_STRIDE, where(*op, o.name) + "_stride is " + std::to_string(given) +
                                                 ", a row has " + std::to_string(dense));
            // Before the multiplication below, which would wrap.
            if (given > INT32_MAX) return fail(KS_ERROR_RANGE, where(*op, o.name) + "_stride is beyond 2^31");
            c.stride[0] = given;
        }
        dense = c.stride[i] * c.extent[i];
        // Kernels index with 32 bits.
        if (dense > INT32_MAX)
            return fail(KS_ERROR_RANGE,
                        where(*op, o.name) + " spans more than 2^31 elements: split the call");
    }
    c.sequence_stride = o.per_sequence ? dense : 0;
    c.rank = o.rank;
    if (o.rank && o.shape[o.rank - 1] < 0 && c.extent[o.rank - 1] == 1) c.rank--;
    return KS_OK;
}

ks_status Call::check_overlaps() const {
    for (int i = 0; i < op->operand_count; i++) {
        const OperandInfo &out = op->operands[i];
        if (!operands[i].data || (out.role != OperandRole::output && out.role != OperandRole::in_place))
            continue;
        Range a = range_of(operands[i], out.rank, sequences);
        for (int j = 0; j < op->operand_count; j++) {
            if (i == j || !operands[j].data) continue;
            Range b = range_of(operands[j], op->operands[j].rank, sequences);
            if (a.high <= b.low || b.high <= a.low) continue;
            if (interleaved(operands[i], out.rank, operands[j], op->operands[j].rank)) continue;
            if (out.stand_in == j && same(operands[i], operands[j], out.rank)) continue;
            return fail(KS_ERROR_OVERLAP, where(*op, out.name) + " overlaps " + op->operands[j].name);
        }
    }
    return KS_OK;
}

} // namespace ks
