// SPDX-License-Identifier: Apache-2.0
// An OpProblem as a call of the pack's C interface. The argument struct is put together from the pack's own
// table, so a new op needs nothing here.
#pragma once
#include "autotune/cases/element.h"
#include "runtime/base/cpu.h"
#include "runtime/base/error.h"
#include "runtime/kernels/choose.h"
#include "runtime/kernels/launch.h"
#include "runtime/kernels/staged.h"
#include "schedules/registry.h"
#include "tests/support/op_problem.h"
#include <cstdint>
#include <gtest/gtest.h>
#include <memory>

namespace ks::test {

using cases::element_at, cases::element_size, cases::put_element;

using Library = std::unique_ptr<ks_library, void (*)(ks_library *)>;

inline Library library(int threads, const std::string &isa) {
    ks_create_args a{sizeof a, threads, isa.c_str(), 0};
    ks_library *l = nullptr;
    EXPECT_EQ(ks_create(&a, &l), KS_OK) << ks_last_error();
    return {l, ks_destroy};
}

// The base kernels that a library for `isa` runs, or the tuned ones.
inline std::vector<const KernelInfo *> kernels_of(const std::string &isa, bool base) {
    std::vector<const KernelInfo *> list;
    for (int i = 0; i < kernel_table.kernel_count; i++)
        if (isa_runs(isa, kernel_table.kernels[i].isa) && kernel_table.kernels[i].base == base)
            list.push_back(&kernel_table.kernels[i]);
    return list;
}

// Why this machine cannot run kernels for a target; empty when it can.
inline std::string missing(const std::string &target) {
    if (target != "cuda") return cpu_has(target) ? "" : "this CPU has no " + target;
    if (kernels_of(target, true).empty()) return "the pack has no GPU kernels";
    try {
        cuda::device(0);
        return "";
    } catch (const Error &e) {
        return e.what();
    }
}

class PackCall {
  public:
    // `padding`: elements between the rows of strided operands; 0: dense, with strides left at 0.
    explicit PackCall(const OpProblem &problem, int64_t padding = 0)
        : op_(op_index(problem.contract->name)), starts_(problem.seq_start.begin(), problem.seq_start.end()) {
        const Contract &c = *problem.contract;
        add("size", 0);
        add("stream", 0);
        for (const auto &d : c.dims) add(d.name, problem.dims.at(d.name));
        for (int i = 0; i < info().choice_count; i++) {
            const ChoiceInfo &choice = info().choices[i];
            int64_t value = 0;
            while (problem.choices.at(choice.name) != choice.values[value]) value++;
            add(choice.name, value);
        }
        if (!c.ragged.empty()) {
            add("sequences", problem.sequences());
            add("seq_start", starts_.empty() ? 0 : reinterpret_cast<int64_t>(starts_.data()));
        }
        for (const auto &o : c.operands) add_operand(problem, o, padding);
        for (const auto &s : c.scalars) {
            int64_t bits = problem.flags;
            if (s.type == "f32") std::memcpy(&bits, &problem.eps, 8);
            add(s.name, bits);
        }
        slot("size") = static_cast<int64_t>(slots_.size() * 8);
    }

    PackCall(const PackCall &) = delete; // the struct points into memory_
    PackCall &operator=(const PackCall &) = delete;

    ks_status launch(const ks_library *l) { return launch_staged(l, op_, slots_.data()); }
    ks_status supported(const ks_library *l) { return ks::supported(l, op_, slots_.data()); }
    Call read() const { // as on a CPU
        Call call;
        EXPECT_EQ(call.read(info(), slots_.data(), false), KS_OK) << ks_last_error();
        return call;
    }
    const OpInfo &info() const { return kernel_table.ops[op_]; }

    // A field of the argument struct by name: "size", a dimension, a choice, "sequences", "seq_start", an
    // operand (its address), "<operand>_stride" or a scalar. For tests that break one.
    int64_t &slot(const std::string &field) { return slots_.at(fields_.at(field)); }
    std::vector<int64_t> &starts() { return starts_; }

    Values get(const std::string &operand) const {
        const Memory &m = memory_.at(operand);
        Values v(m.count);
        for (size_t i = 0; i < v.size(); i++) v[i] = element_at(m.storage, m.bytes.data() + m.offset(i));
        return v;
    }
    const std::vector<uint8_t> &bytes(const std::string &operand) const { return memory_.at(operand).bytes; }

    // Names what changed and should not have: an input, or memory between the rows of a result.
    std::string damage() const {
        std::string names;
        for (const auto &[name, m] : memory_) {
            std::vector<uint8_t> now = m.bytes;
            for (size_t i = 0; m.written && i < m.count; i++)
                std::memcpy(&now[m.offset(i)], &m.before[m.offset(i)], m.element);
            if (now != m.before) names += " " + name;
        }
        return names;
    }

  private:
    struct Memory {
        std::string storage;
        bool written;
        size_t element, count, columns, pitch; // columns, pitch: elements of a row, and between rows
        std::vector<uint8_t> bytes, before;
        size_t offset(size_t dense) const { return (dense / columns * pitch + dense % columns) * element; }
    };

    void add(const std::string &field, int64_t value) {
        fields_[field] = slots_.size();
        slots_.push_back(value);
    }

    void add_operand(const OpProblem &problem, const Operand &o, int64_t padding) {
        auto values = problem.in.find(o.name);
        if (values == problem.in.end()) {
            add(o.name, 0);
            if (o.strided) add(o.name + "_stride", 0);
            return;
        }
        Memory &m = memory_[o.name];
        m.storage = problem.storage(o);
        m.element = element_size(m.storage);
        m.written = written(o);
        m.count = m.columns = values->second.size();
        if (o.strided) m.columns /= static_cast<size_t>(problem.shape(o)[0]);
        m.pitch = m.columns + static_cast<size_t>(o.strided ? padding : 0);
        m.bytes.assign(m.count / m.columns * m.pitch * m.element, 0xa5);
        for (size_t i = 0; i < m.count; i++)
            put_element(m.storage, m.bytes.data() + m.offset(i), values->second[i]);
        m.before = m.bytes;
        add(o.name, reinterpret_cast<int64_t>(m.bytes.data()));
        if (o.strided) add(o.name + "_stride", padding ? static_cast<int64_t>(m.pitch) : 0);
    }

    int op_;
    std::vector<int64_t> slots_, starts_;
    std::map<std::string, size_t> fields_;
    std::map<std::string, Memory> memory_;
};

// One kernel of the pack by its choices, with their names.
inline std::map<std::string, std::string> choices_of(const KernelInfo &k) {
    std::map<std::string, std::string> choices;
    const OpInfo &op = kernel_table.ops[k.op];
    for (int c = 0; c < op.choice_count; c++)
        choices[op.choices[c].name] = op.choices[c].values[k.choices[c]];
    return choices;
}

inline const Contract &contract_of(const KernelInfo &k) {
    return op_named(kernel_table.ops[k.op].name).contract;
}

} // namespace ks::test
