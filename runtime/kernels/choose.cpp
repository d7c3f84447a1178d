// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/choose.h"
#include "runtime/base/error.h"
#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace ks {

namespace {

int position(const OpInfo &op, const std::string &choice) {
    for (int i = 0; i < op.choice_count; i++)
        if (choice == op.choices[i].name) return i;
    throw Error(op.name, "has no choice named " + choice);
}

int dim_position(const OpInfo &op, const std::string &dim) {
    for (int i = 0; i < op.dim_count; i++)
        if (dim == op.dims[i].name) return i;
    throw Error(op.name, "has no dimension named " + dim);
}

} // namespace

int op_index(const std::string &name) {
    for (int i = 0; i < kernel_table.op_count; i++)
        if (name == kernel_table.ops[i].name) return i;
    throw Error(name, "is not an op of this pack");
}

int choice_index(const std::string &op_name, const std::string &choice, const std::string &value) {
    const OpInfo &op = kernel_table.ops[op_index(op_name)];
    const char *const *values = op.choices[position(op, choice)].values;
    for (int i = 0; values[i]; i++)
        if (value == values[i]) return i;
    throw Error(op_name, choice + " cannot be " + value);
}

namespace {

bool matches(const KernelInfo &k, const std::string &op_name,
             const std::map<std::string, std::string> &choices) {
    return std::all_of(choices.begin(), choices.end(), [&](const auto &c) {
        return k.choices[position(kernel_table.ops[k.op], c.first)] ==
               choice_index(op_name, c.first, c.second);
    });
}

} // namespace

bool has_kernel(const ks_library &library, const std::string &op_name,
                const std::map<std::string, std::string> &choices) {
    const auto &kernels = library.kernels[static_cast<size_t>(op_index(op_name))];
    return std::any_of(kernels.begin(), kernels.end(),
                       [&](const KernelInfo *k) { return matches(*k, op_name, choices); });
}

PanelChoice choose_panel(const ks_library &library, const std::string &op_name,
                         const std::map<std::string, std::string> &choices, int64_t K, int64_t width) {
    int index = op_index(op_name);
    const OpInfo &op = kernel_table.ops[index];
    int panel = position(op, "panel"), k_dim = dim_position(op, "K"), p_dim = dim_position(op, "P");
    for (const KernelInfo *k : library.kernels[static_cast<size_t>(index)]) {
        int lanes = std::atoi(op.choices[panel].values[k->choices[panel]]);
        int64_t panels = (width + lanes - 1) / lanes;
        if (matches(*k, op_name, choices) && K >= k->low[k_dim] && K <= k->high[k_dim] &&
            panels >= k->low[p_dim] && panels <= k->high[p_dim])
            return {k->choices[panel], lanes, !k->base};
    }
    throw Error(op_name, "the pack has no kernel for this weight type on " + library.isa);
}

} // namespace ks
