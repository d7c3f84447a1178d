// SPDX-License-Identifier: Apache-2.0
#include "autotune/work.h"
#include "autotune/rotation.h"
#include "schedules/registry.h"
#include <algorithm>

namespace ks::tune {

namespace {

double fixed(const Task &t, const char *dim) { return static_cast<double>(t.spec.fixed.at(dim)); }
double storage_bytes(const Task &t, const char *choice) { return t.spec.choice(choice) == "f32" ? 4 : 2; }
double rows_of(const Dims &shape) { return static_cast<double>(shape.begin()->second); }

Work convolution(const Task &t, const Dims &shape) {
    double elements = rows_of(shape) * fixed(t, "D"), W = std::stod(t.spec.choice("W"));
    return {elements * (2 * W + 20), elements * 2 * storage_bytes(t, "io")};
}

// `state_bytes`: of all reads and writes of one element of A or of a state.
Work recurrence(const Task &t, const Dims &shape, double state_bytes) {
    double rows = rows_of(shape), D = fixed(t, "D"), N = fixed(t, "N");
    // Nine multiply-type operations per element-state: A delta, five of the polynomial, B du, h, y.
    return {rows * D * N * 9 * 2, rows * D * 4 * storage_bytes(t, "io") + D * N * state_bytes};
}

Work scan(const Task &t, const Dims &shape) { return recurrence(t, shape, 4 * 3); }
Work update(const Task &t, const Dims &shape) { return recurrence(t, shape, 4 * (2 * rows_of(shape) + 1)); }

Work product(const Task &t, const Dims &shape) {
    Weights w = weights_of(t.spec, shape);
    double rows = rows_of(shape), N = fixed(t, "P") * std::stod(t.spec.choice("panel"));
    return {2 * rows * w.bytes / storage_bytes(t, "weight"),
            w.bytes + rows * (fixed(t, "K") * storage_bytes(t, "io") + 4 * N),
            multiplies_pairs(op_named(t.op).contract, t.spec), w.bytes * w.copies};
}

// Every expert has rows.
Work products_of_experts(const Task &t, const Dims &shape) {
    double weights = weights_of(t.spec, shape).bytes, E = fixed(t, "E"), B = fixed(t, "B"), K = fixed(t, "K");
    double columns = weights / E / K / storage_bytes(t, "weight");
    double rows = rows_of(shape), used = std::min(E, rows), slots = rows + used * (B - 1) / 2;
    return {2 * slots * columns * K, weights * used / E + slots * (K + columns) * storage_bytes(t, "io")};
}

using WorkOf = Work (*)(const Task &, const Dims &);

const std::map<std::string, WorkOf> &works() {
    static const std::map<std::string, WorkOf> known = {
        {"selective_scan", scan},
        {"selective_state_update", update},
        {"causal_conv1d", convolution},
        {"linear", product},
        {"expert_up", product},
        {"expert_down", product},
        {"grouped_expert_up", products_of_experts},
        {"grouped_expert_down", products_of_experts},
    };
    return known;
}

} // namespace

bool can_tune(const std::string &op) { return works().count(op); }

Work work_of(const Task &t, const Dims &shape) { return works().at(t.op)(t, shape); }

} // namespace ks::tune
