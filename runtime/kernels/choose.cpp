// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/choose.h"
#include "runtime/base/error.h"
#include <cstdlib>
#include <cstring>

namespace ks {

namespace {

int op_index(const std::string &name) {
    for (int i = 0; i < kernel_table.op_count; i++)
        if (name == kernel_table.ops[i].name) return i;
    throw Error(name, "is not an op of this pack");
}

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

int choice_index(const std::string &op_name, const std::string &choice, const std::string &value) {
    const OpInfo &op = kernel_table.ops[op_index(op_name)];
    const char *const *values = op.choices[position(op, choice)].values;
    for (int i = 0; values[i]; i++)
        if (value == values[i]) return i;
    throw Error(op_name, choice + " cannot be " + value);
}

PanelChoice choose_panel(const ks_library &library, const std::string &op_name,
                         const std::map<std::string, std::string> &choices, int64_t K, int64_t width) {
    int index = op_index(op_name);
    const OpInfo &op = kernel_table.ops[index];
    int panel = position(op, "panel"), k_dim = dim_position(op, "K"), p_dim = dim_position(op, "P");
    for (const KernelInfo *k : library.kernels[static_cast<size_t>(index)]) {
        bool match = true;
        for (const auto &[name, value] : choices) match &= k->choices[position(op, name)] == choice_index(op_name, name, value);
        int lanes = std::atoi(op.choices[panel].values[k->choices[panel]]);
        int64_t panels = (width + lanes - 1) / lanes;
        match &= K >= k->low[k_dim] && K <= k->high[k_dim] && panels >= k->low[p_dim] && panels <= k->high[p_dim];
        if (match) return {k->choices[panel], lanes, !k->base};
    }
    throw Error(op_name, "the pack has no kernel for this weight type on " + library.isa);
}

bool has_tuned(const ks_library &library, const std::string &op_name, const std::map<std::string, int64_t> &widths) {
    int index = op_index(op_name);
    const OpInfo &op = kernel_table.ops[index];
    for (const KernelInfo *k : library.kernels[static_cast<size_t>(index)]) {
        bool match = !k->base;
        for (const auto &[name, value] : widths) {
            int d = dim_position(op, name);
            match &= value >= k->low[d] && value <= k->high[d];
        }
        if (match) return true;
    }
    return false;
}

} // namespace ks
