// SPDX-License-Identifier: Apache-2.0
#include "tests/support/op_call.h"
#include "autotune/cases/element.h"
#include "tests/support/jit_kernel.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <sys/mman.h>
#include <unistd.h>

namespace ks::test {

using cases::element_at, cases::element_size, cases::put_element;

namespace {

constexpr uint8_t guard_byte = 0xa5;

// Entry of a contract's shape: a dimension or numeric choice, perhaps "+1" or "-1".
int64_t value_of(const std::string &term, const Spec &spec, const Dims &dims) {
    size_t sign = term.find_first_of("+-");
    std::string name = term.substr(0, sign);
    int64_t value = dims.count(name) ? dims.at(name) : std::stoll(spec.choice(name));
    return sign == std::string::npos ? value : value + std::stoll(term.substr(sign));
}

const JitKernel &compiled(const Op &op, const Spec &spec, const std::string &isa) {
    static std::map<std::string, std::unique_ptr<JitKernel>> kernels;
    auto &kernel = kernels[op.contract.name + " " + spec.text() + " " + isa];
    Halide::Target target = kernel_target(isa);
    if (!kernel)
        kernel =
            std::make_unique<JitKernel>(op.build(spec, op.space(spec, target).fallback(), target), target);
    return *kernel;
}

} // namespace

struct OpCall::Memory {
    std::string storage; // f32, bf16, f16, i32
    std::vector<int64_t> shape, stride;
    size_t bytes, mapped, element, begin; // begin: offset of the first element
    uint8_t *base;
    std::vector<uint8_t> before;
    halide_buffer_t buffer{};
    std::vector<halide_dimension_t> dims;

    Memory(const std::string &type, const std::vector<int64_t> &extents, int64_t padding)
        : storage(type), shape(extents) {
        element = element_size(type);
        stride.assign(shape.size(), 1);
        for (size_t i = shape.size(); i-- > 1;) stride[i - 1] = stride[i] * shape[i];
        if (shape.size() > 1) stride[0] += padding;
        size_t last = element;
        for (size_t i = 0; i < shape.size(); i++)
            last += element * static_cast<size_t>((shape[i] - 1) * stride[i]);
        bytes = last;
        size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
        mapped = (bytes + 64 + page - 1) / page * page;
        void *at = mmap(nullptr, mapped + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED) throw std::runtime_error("operand: no memory");
        base = static_cast<uint8_t *>(at);
        mprotect(base + mapped, page, PROT_NONE);
        std::memset(base, guard_byte, mapped);
        begin = mapped - bytes;
        describe();
    }
    ~Memory() { munmap(base, mapped + static_cast<size_t>(sysconf(_SC_PAGESIZE))); }

    void describe() {
        for (size_t i = shape.size(); i-- > 0;)
            dims.emplace_back(0, static_cast<int>(shape[i]), static_cast<int>(stride[i]));
        buffer.host = base + begin;
        buffer.dimensions = static_cast<int>(dims.size());
        buffer.dim = dims.data();
        buffer.type = storage == "f32" ? halide_type_t(halide_type_float, 32)
                                       : halide_type_t(storage == "i32" ? halide_type_int : halide_type_uint,
                                                       static_cast<uint8_t>(element * 8));
    }

    size_t count() const {
        size_t n = 1;
        for (int64_t e : shape) n *= static_cast<size_t>(e);
        return n;
    }
    uint8_t *at(size_t dense) const {
        size_t offset = 0;
        for (size_t i = shape.size(); i-- > 0; dense /= static_cast<size_t>(shape[i]))
            offset += dense % static_cast<size_t>(shape[i]) * static_cast<size_t>(stride[i]);
        return base + begin + offset * element;
    }
    void write(size_t dense, double v) { put_element(storage, at(dense), v); }
    double read(size_t dense) const { return element_at(storage, at(dense)); }
    // Whether every byte outside the elements is as it was.
    bool guarded() const {
        std::vector<bool> ours(mapped, false);
        for (size_t i = 0; i < count(); i++)
            for (size_t b = 0; b < element; b++) ours[static_cast<size_t>(at(i) - base) + b] = true;
        for (size_t i = 0; i < mapped; i++)
            if (!ours[i] && base[i] != guard_byte) return false;
        return true;
    }
};

OpCall::OpCall(const std::string &op, const std::map<std::string, std::string> &choices, const Dims &dims,
               const std::string &isa, bool fixed)
    : op_(op_named(op)), isa_(isa) {
    spec_.choices = choices;
    if (fixed)
        for (const auto &d : op_.contract.dims)
            if (d.width) spec_.fixed[d.name] = dims.at(d.name);
    int64_t padding = 3;
    for (const auto &o : op_.contract.operands) {
        std::vector<int64_t> shape;
        for (const auto &term : o.shape) shape.push_back(value_of(term, spec_, dims));
        bool plain = o.type == "f32" || o.type == "i32";
        memory_[o.name] =
            std::make_unique<Memory>(plain ? o.type : spec_.choice(o.type), shape, o.strided ? padding : 0);
        padding += 2;
    }
}

OpCall::OpCall(OpCall &&) noexcept = default;
OpCall::~OpCall() = default;

void OpCall::set(const std::string &operand, const std::vector<double> &values) {
    Memory &m = *memory_.at(operand);
    if (values.size() != m.count()) throw std::invalid_argument(operand + ": wrong number of values");
    for (size_t i = 0; i < values.size(); i++) m.write(i, values[i]);
}

std::string OpCall::run() {
    std::vector<void *> args, outputs;
    for (const auto &o : op_.contract.operands) {
        Memory &m = *memory_.at(o.name);
        m.before.assign(m.base, m.base + m.mapped);
        (o.role == Role::output ? outputs : args).push_back(&m.buffer);
    }
    for (const auto &s : op_.contract.scalars)
        args.push_back(s.type == "i32" ? static_cast<void *>(&integers_.at(s.name)) : &reals_.at(s.name));
    args.insert(args.end(), outputs.begin(), outputs.end());
    int status = compiled(op_, spec_, isa_)(args);
    std::string broken = status ? "status " + std::to_string(status) : "";
    for (const auto &o : op_.contract.operands) {
        Memory &m = *memory_.at(o.name);
        if (!m.guarded()) broken += " guard bytes of " + o.name;
        if (o.role != Role::output && o.role != Role::in_place &&
            std::memcmp(m.before.data(), m.base, m.mapped))
            broken += " input " + o.name;
    }
    return broken;
}

std::vector<double> OpCall::get(const std::string &operand) const {
    const Memory &m = *memory_.at(operand);
    std::vector<double> values(m.count());
    for (size_t i = 0; i < values.size(); i++) values[i] = m.read(i);
    return values;
}

std::vector<int> OpCall::get_integers(const std::string &operand) const {
    std::vector<double> values = get(operand);
    return std::vector<int>(values.begin(), values.end());
}

size_t OpCall::size(const std::string &operand) const { return memory_.at(operand)->count(); }

double error_of(const std::vector<double> &got, const std::vector<double> &wanted) {
    if (got.size() != wanted.size()) throw std::invalid_argument("results of unlike size");
    double worst = 0, largest = 1e-30;
    for (size_t i = 0; i < got.size(); i++) {
        if (std::isnan(got[i]) && std::isnan(wanted[i])) continue;
        if (got[i] == wanted[i]) continue;
        double e = std::fabs(got[i] - wanted[i]);
        worst = std::isnan(e) ? std::numeric_limits<double>::infinity() : std::max(worst, e);
    }
    for (double w : wanted)
        if (std::isfinite(w)) largest = std::max(largest, std::fabs(w));
    return worst / largest;
}

std::vector<std::string> isas() {
    std::vector<std::string> list;
    for (const char *isa : {"avx2", "avx512"})
        if (cpu_runs(isa)) list.push_back(isa);
    return list;
}

} // namespace ks::test
