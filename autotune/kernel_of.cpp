// SPDX-License-Identifier: Apache-2.0
#include "autotune/kernel_of.h"
#include "runtime/base/error.h"
#include <algorithm>
#include <optional>

namespace ks::tune {

namespace {

const char *const widths = "widths";

// Those of the schedule alone.
Knobs without_widths(const Knobs &k) {
    Knobs schedule;
    for (const auto &[name, value] : k.values())
        if (name != widths) schedule.set(name, value);
    return schedule;
}

} // namespace

Space space_of(const std::string &op, const Spec &spec, const std::string &isa) {
    const Halide::Target target = kernel_target(isa);
    const Space fixed = op_named(op).space(spec, target);
    // The default is the last kernel of a pack that nobody has tuned, which serves any number of rows.
    const Space any = op_named(op).space(default_spec(op_named(op), spec, target), target);
    Space s = fixed.without_rules();
    s.set_fallback(any.fallback());
    s.knob(widths, std::vector<std::string>{"any", "fixed"}, "any",
           "whether the kernel knows its widths when compiled");
    s.rule([=](const Knobs &k) { return (k[widths] == "fixed" ? fixed : any).legal(without_widths(k)); });
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

// What runs at tuned widths where no rule holds; nothing where usual kernels of the pack serve them anyway.
// On a GPU, where the base kernels of some ops are slow, it knows the widths: the tuner has tried that
// schedule there too.
std::optional<Spec> default_at(const Op &op, const Tuned &t) {
    const Spec known{t.choices, t.fixed}, any = default_spec(op, known, kernel_target(t.isa));
    if (!any.is_base()) return {};
    return t.isa == "cuda" ? known : any;
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
        const auto spec = default_at(op, t);
        if (!spec) continue;
        kernels.push_back(pack::default_kernel(op, t.isa, *spec));
        kernels.back().rank = pack::Rank::tuned;
        if (t.isa == "cuda") kernels.back().device = table.device;
        for (const auto &[name, value] : t.fixed) kernels.back().box[name] = {value, value};
    }
    return kernels;
}

} // namespace ks::tune
