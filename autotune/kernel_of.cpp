// SPDX-License-Identifier: Apache-2.0
#include "autotune/kernel_of.h"
#include "runtime/base/error.h"
#include <algorithm>

namespace ks::tune {

namespace {
const char *const widths = "widths";
}

Space space_of(const std::string &op, const Spec &spec, const std::string &isa) {
    Space s = op_named(op).space(spec, kernel_target(isa));
    s.knob(widths, std::vector<std::string>{"any", "fixed"}, "any",
           "whether the kernel knows its widths when compiled");
    return s;
}

pack::PackKernel kernel_of(const Candidate &c) {
    pack::PackKernel k{c.op, c.isa, c.spec, {}, {}, "", true};
    if (c.knobs[widths] == "any") k.spec.fixed.clear();
    for (const auto &[name, value] : c.knobs.values())
        if (name != widths) k.knobs.set(name, value);
    if (!op_named(c.op).space(c.spec, kernel_target(c.isa)).legal(k.knobs))
        throw Error(c.text(), "is not a point of the op's schedule space");
    return k;
}

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
        Spec base{t.choices, {}};
        kernels.push_back({t.op,
                           t.isa,
                           base,
                           op.space(base, kernel_target(t.isa)).fallback(),
                           {},
                           t.isa == "cuda" ? table.device : "",
                           true});
        for (const auto &[name, value] : t.fixed) kernels.back().box[name] = {value, value};
    }
    return kernels;
}

} // namespace ks::tune
