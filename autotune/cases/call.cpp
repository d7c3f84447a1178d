// SPDX-License-Identifier: Apache-2.0
#include "autotune/cases/call.h"
#include "autotune/cases/element.h"
#include "autotune/cases/values.h"
#include "runtime/base/error.h"
#include <algorithm>

namespace ks::cases {

Call::Call(Problem problem, tune::Device &device, Copies copies)
    : problem_(std::move(problem)), device_(device) {
    flags_ = problem_.present();
    eps_ = static_cast<float>(problem_.eps);
    for (const Operand &o : problem_.contract->operands)
        held_.push_back(make(o, o.name == "w" ? copies.weights : copies.others, copies.guarded));
    if (packed()) {
        equal_steps_ = static_cast<int32_t>(problem_.value(problem_.contract->ragged) / problem_.sequences());
        seq_start_dim_ = {0, static_cast<int32_t>(problem_.sequences() + 1), 1, 0};
        for (const Held &h : held_)
            for (size_t i = 0; h.memory && i + 1 < h.stride.size(); i++)
                while (h.stride[i] * static_cast<int64_t>(element_size(h.storage)) % alignment_)
                    alignment_ /= 2;
        seq_start_ = {0, nullptr, nullptr, 0, {kernel_int, 64, 1}, 1, &seq_start_dim_, nullptr};
    }
}

Call::Held Call::make(const Operand &o, int copies, bool guarded) const {
    Held h;
    h.operand = &o;
    h.storage = problem_.storage(o);
    int64_t count = 1;
    if (packed() && o.per_sequence) h.extent.push_back(problem_.sequences());
    for (const auto &entry : buffer_shape(o, problem_.choices)) {
        ShapeTerm term = shape_term(entry);
        h.extent.push_back(problem_.value(term.name) + term.plus);
    }
    for (int64_t extent : h.extent) count *= extent;
    h.stride.assign(h.extent.size(), 1);
    for (size_t i = h.extent.size(); i-- > 1;) h.stride[i - 1] = h.stride[i] * h.extent[i];
    size_t element = element_size(h.storage);
    uint8_t code = h.storage == "i32" ? kernel_int : element == 4 ? kernel_float : kernel_uint;
    h.buffer.type = {code, static_cast<uint8_t>(element * 8), 1};
    h.buffer.dimensions = static_cast<int32_t>(h.extent.size());
    auto values = problem_.in.find(o.name);
    if (values == problem_.in.end()) return h; // another operand stands in
    h.image.resize(static_cast<size_t>(count) * element);
    in_blocks(values->second.size(), [&](size_t first, size_t end) {
        for (size_t i = first; i < end; i++)
            put_element(h.storage, h.image.data() + i * element, values->second[i]);
    });
    h.copies = static_cast<size_t>(copies);
    h.pitch = copies == 1 ? h.image.size() : (h.image.size() + 127) / 64 * 64;
    h.memory = device_.memory((h.copies - 1) * h.pitch + h.image.size(), guarded);
    for (size_t i = 0; i < h.copies; i++) h.memory->write(i * h.pitch, h.image.data(), h.image.size());
    return h;
}

size_t Call::bytes() const {
    size_t sum = 0;
    for (const Held &h : held_) sum += h.image.size();
    return sum;
}

void Call::view(Held &h, size_t turn, const Part &part) {
    const Held *from = &h;
    while (!from->memory)
        from = &*std::find_if(held_.begin(), held_.end(), [&](const Held &other) {
            return other.operand->name == from->operand->stand_in;
        });
    h.buffer.type = from->buffer.type, h.buffer.dimensions = from->buffer.dimensions;
    h.dims.clear();
    bool output = packed() && h.operand->role == Role::output;
    int64_t first = 0;
    for (size_t i = from->extent.size(); i-- > 0;) {
        int64_t extent = from->extent[i];
        // As the runtime does it, so that the grid is that of a caller's call.
        if (output && from->operand->shape[i] == problem_.contract->ragged) extent = equal_steps_;
        if (part.length && from->operand->shape[i] == problem_.contract->slice) // never of a packed call
            extent = part.length, first += part.first * from->stride[i];
        h.dims.push_back({0, static_cast<int32_t>(extent), static_cast<int32_t>(from->stride[i]), 0});
    }
    if (output) { // a block moves to the rows of its sequence itself
        h.dims.push_back({0, static_cast<int32_t>(problem_.sequences()), 0, 0});
        h.buffer.dimensions++;
    }
    h.buffer.dim = h.dims.data();
    from->memory->place(h.buffer, turn % from->copies * from->pitch +
                                      static_cast<size_t>(first) * element_size(from->storage));
    arguments_.push_back(&h.buffer);
}

void **Call::arguments(size_t turn, const Part &part) {
    arguments_.clear();
    for (Held &h : held_)
        if (h.operand->role != Role::output) view(h, turn, part);
    if (packed()) arguments_.push_back(&seq_start_);
    for (const Scalar &s : problem_.contract->scalars)
        arguments_.push_back(s.type == "i32" ? static_cast<void *>(&flags_) : &eps_);
    if (packed()) arguments_.insert(arguments_.end(), {&equal_steps_, &alignment_});
    for (Held &h : held_)
        if (h.operand->role == Role::output) view(h, turn, part);
    return arguments_.data();
}

std::vector<Part> Call::parts(int threads) const {
    const Contract &c = *problem_.contract;
    if (c.slice.empty() || device_.packed()) return {{}};
    int64_t extent = problem_.value(c.slice), granules = (extent + c.granule - 1) / c.granule;
    int64_t wanted = std::min<int64_t>(threads, granules);
    int64_t length = (granules + wanted - 1) / wanted * c.granule;
    std::vector<Part> list;
    for (int64_t first = 0; first < extent; first += length)
        list.push_back({first, std::min(length, extent - first)});
    return list;
}

void Call::reset() {
    for (Held &h : held_)
        for (size_t i = 0; written(*h.operand) && i < h.copies; i++)
            h.memory->write(i * h.pitch, h.image.data(), h.image.size());
}

std::vector<uint8_t> Call::stored(const std::string &name) const {
    for (const Held &h : held_) {
        if (h.operand->name != name || !h.memory) continue;
        std::vector<uint8_t> bytes(h.image.size());
        h.memory->read(0, bytes.data(), bytes.size());
        return bytes;
    }
    throw Error(problem_.contract->name, "has no operand " + name);
}

Values Call::result(const std::string &name) const {
    std::vector<uint8_t> bytes = stored(name);
    std::string storage = problem_.storage(problem_.contract->operand(name));
    size_t element = element_size(storage);
    Values v(bytes.size() / element);
    in_blocks(v.size(), [&](size_t first, size_t end) {
        for (size_t i = first; i < end; i++) v[i] = element_at(storage, bytes.data() + i * element);
    });
    return v;
}

std::string Call::damage() const {
    std::vector<uint8_t> bytes;
    for (const Held &h : held_) {
        if (!h.memory) continue;
        bool input = !written(*h.operand);
        if (std::string d = h.memory->damage(); !d.empty())
            return h.operand->name + (input ? " (an input): " : ": ") + d;
        if (!input) continue;
        bytes.resize(h.image.size());
        h.memory->read(0, bytes.data(), bytes.size());
        if (bytes != h.image) return h.operand->name + ", an input, was written to";
    }
    return "";
}

} // namespace ks::cases
