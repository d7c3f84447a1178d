// SPDX-License-Identifier: Apache-2.0
#include "autotune/cases/problem.h"
#include "autotune/cases/fill.h"
#include "runtime/base/dtype.h"
#include "runtime/base/error.h"
#include <cstring>

namespace ks::tune {

namespace {

float widened(uint16_t h, bool bf16) { return bf16 ? of_bf16(h) : of_f16(h); }
uint16_t narrowed(double v, bool bf16) {
    return bf16 ? bf16_of(static_cast<float>(v)) : f16_of(static_cast<float>(v));
}

bool written(Role r) { return r == Role::output || r == Role::in_place; }

} // namespace

bool Problem::half(const Operand &o) const {
    return o.type != "f32" && o.type != "i32" && spec_.choice(o.type) != "f32";
}

Problem::Problem(const Contract &contract, const Spec &spec, const Dims &dims, int seed, int copies)
    : contract_(contract), spec_(spec), dims_(dims) {
    for (const auto &[name, value] : spec.fixed) dims_[name] = value;
    for (const auto &[name, values] : contract.choices)
        if (std::isdigit(static_cast<unsigned char>(values[0][0])))
            dims_[name] = std::stoi(spec.choice(name));
    complete_dims(contract.name, dims_);
    for (const auto &d : contract.dims)
        if (!dims_.count(d.name)) throw Error(contract.name, "the shape lacks " + d.name);
    for (const auto &o : contract.operands) memory_.push_back(make(o, o.name == "w" ? copies : 1));
    for (size_t i = 0; i < memory_.size(); i++) {
        const Operand &o = *memory_[i].operand;
        if (o.role == Role::output) continue;
        store(memory_[i],
              fill_operand(contract.name, o.name, dims_, memory_[i].count, seed * 100 + static_cast<int>(i)));
        inputs_[o.name] = result(o.name); // as rounded
        if (o.role == Role::optional) flags_ |= o.flag;
    }
    flags_ |= fixed_flags(contract.name);
    reset();
}

Problem::Memory Problem::make(const Operand &o, int copies) const {
    Memory m;
    m.operand = &o;
    for (const auto &entry : o.shape) {
        ShapeTerm term = shape_term(entry);
        m.extent.push_back(dims_.at(term.name) + term.plus);
        m.count *= static_cast<size_t>(m.extent.back());
    }
    m.element = half(o) ? 2 : 4;
    for (int i = 0; i < copies; i++) m.copies.push_back(std::make_unique<GuardedBuffer>(m.count * m.element));
    uint8_t code = o.type == "i32" ? kernel_int : half(o) ? kernel_uint : kernel_float;
    auto rank = static_cast<int>(m.extent.size());
    int32_t stride = 1;
    for (int i = rank - 1; i >= 0; i--) {
        auto extent = static_cast<int32_t>(m.extent[static_cast<size_t>(i)]);
        m.dims.push_back({0, extent, stride, 0});
        stride *= extent;
    }
    m.buffer = {0,    nullptr, nullptr, 0, {code, static_cast<uint8_t>(m.element * 8), 1},
                rank, nullptr, nullptr};
    return m;
}

void Problem::store(Memory &m, const Values &values) {
    const Operand &o = *m.operand;
    for (auto &copy : m.copies) {
        for (size_t i = 0; i < m.count; i++) {
            if (o.type == "i32")
                static_cast<int32_t *>(copy->data())[i] = static_cast<int32_t>(values[i]);
            else if (m.element == 4)
                static_cast<float *>(copy->data())[i] = static_cast<float>(values[i]);
            else
                static_cast<uint16_t *>(copy->data())[i] =
                    narrowed(values[i], spec_.choice(o.type) == "bf16");
        }
    }
}

std::vector<int> Problem::integers(const std::string &name) const {
    const Values &v = input(name);
    return {v.begin(), v.end()};
}

void **Problem::arguments(int run) {
    arguments_.clear();
    auto add = [&](Memory &m) {
        m.buffer.dim = m.dims.data();
        m.buffer.host = static_cast<uint8_t *>(m.copies[static_cast<size_t>(run) % m.copies.size()]->data());
        arguments_.push_back(&m.buffer);
    };
    for (auto &m : memory_)
        if (m.operand->role != Role::output) add(m);
    if (!contract_.scalars.empty()) arguments_.push_back(&flags_); // cases have no other scalar
    for (auto &m : memory_)
        if (m.operand->role == Role::output) add(m);
    return arguments_.data();
}

void Problem::reset() {
    for (auto &m : memory_) {
        if (m.operand->role == Role::output) m.copies[0]->poison();
        if (m.operand->role == Role::in_place) store(m, inputs_.at(m.operand->name));
    }
}

Values Problem::result(const std::string &name) const {
    for (const auto &m : memory_) {
        if (m.operand->name != name) continue;
        Values v(m.count);
        bool bf16 = m.element == 2 && spec_.choice(m.operand->type) == "bf16";
        for (size_t i = 0; i < m.count; i++) {
            const void *data = m.copies[0]->data();
            if (m.operand->type == "i32")
                v[i] = static_cast<const int32_t *>(data)[i];
            else if (m.element == 4)
                v[i] = static_cast<const float *>(data)[i];
            else
                v[i] = widened(static_cast<const uint16_t *>(data)[i], bf16);
        }
        return v;
    }
    throw Error(contract_.name, "has no operand " + name);
}

std::string Problem::damage() const {
    for (const auto &m : memory_)
        for (const auto &copy : m.copies)
            if (std::string d = copy->damage(); !d.empty())
                return m.operand->name + (written(m.operand->role) ? ": " : " (an input): ") + d;
    return "";
}

} // namespace ks::tune
