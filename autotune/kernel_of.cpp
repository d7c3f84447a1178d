// SPDX-License-Identifier: Apache-2.0
#include "autotune/kernel_of.h"
#include "runtime/base/error.h"
#include <algorithm>

namespace ks::tune {

namespace {
const char *const widths = "widths";
}

namespace {

// Those of the schedule alone.
Knobs without_widths(const Knobs &k) {
    Knobs schedule;
    for (const auto &[name, value] : k.values())
        if (name != widths) schedule.set(name, value);
    return schedule;
}

} // namespace

Space space_of(const std::string &op, const Spec &spec, const std::string &isa) {
    Space s = op_named(op).space(spec, kernel_target(isa));
    // With any widths fewer points may be legal, and the default is that of a pack that nobody has tuned.
    Space base = op_named(op).space(default_spec(op_named(op), spec, kernel_target(isa)), kernel_target(isa));
    s.set_fallback(base.fallback());
    s.knob(widths, std::vector<std::string>{"any", "fixed"}, "any",
           "whether the kernel knows its widths when compiled");
    s.rule([base](const Knobs &k) { return k[widths] == "fixed" || base.legal(without_widths(k)); });
    return s;
}

pack::PackKernel kernel_of(const Candidate &c) {
    const Op &op = op_named(c.op);
    Halide::Target target = kernel_target(c.isa);
    pack::PackKernel k{c.op, c.isa, c.spec, without_widths(c.knobs), {}, "", pack::Rank::tuned};
    if (c.knobs[widths] == "any") k.spec = default_spec(op, c.spec, target);
    if (!space_of(c.op, c.spec, c.isa).legal(c.knobs))
        throw Error(c.text(), "is not a point of the op's schedule space");
    return k;
}

namespace {

// What runs at tuned widths where no rule holds. On a GPU, where the base kernels of some ops are slow and
// none is for usual sizes, it knows the widths: the tuner has tried that schedule there too.
Spec default_at(const Op &op, const Tuned &t) {
    Spec known{t.choices, t.fixed}, any = default_spec(op, known, kernel_target(t.isa));
    return t.isa == "cuda" && any.is_base() ? known : any;
}

} // namespace

std::vector<pack::PackKernel> tuned_kernels(const Table &table, const std::vector<std::string> &isas,
                                            std::vector<std::string> &stale) {
    std::vector<pack::PackKernel> kernels;
    for (const Rule &r : table.rules) {
        if (std::find(isas.begin(), isas.end(), r.isa) == isas.end()) continue;
        if (op_named(r.op).contract.version != r.op_version) {
            stale.push_back(r.op + " " + r.where_text() + " (version " + std::to_string(r.op_version) + ")");
            continue;
        }
        Candidate c{r.op, {r.choices, r.fixed}, r.isa, parse_knobs(r.knobs)};
        kernels.push_back(kernel_of(c));
        if (r.isa == "cuda") kernels.back().device = table.device;
        auto &box = kernels.back().box;
        for (const auto &[name, value] : r.fixed) box[name] = {value, value};
        for (const auto &[name, in] : r.where) box[name] = {in.low, in.high};
    }
    for (const Tuned &t : table.tuned) {
        const Op &op = op_named(t.op);
        if (std::find(isas.begin(), isas.end(), t.isa) == isas.end() || op.contract.version != t.op_version)
            continue;
        kernels.push_back(pack::default_kernel(op, t.isa, default_at(op, t)));
        kernels.back().rank = pack::Rank::tuned;
        if (t.isa == "cuda") kernels.back().device = table.device;
        for (const auto &[name, value] : t.fixed) kernels.back().box[name] = {value, value};
    }
    return kernels;
}

} // namespace ks::tune
