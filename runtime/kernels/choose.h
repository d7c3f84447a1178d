// SPDX-License-Identifier: Apache-2.0
// Questions about a pack that are asked once, at load.
#pragma once
#include "runtime/kernels/library.h"
#include <map>
#include <string>

namespace ks {

struct PanelChoice {
    int choice; // index of the panel width, as the C API passes it
    int lanes;
    bool tuned; // these widths were tuned, whether or not anything beat the base kernel
};

// The panel width in which a weight of `op` (linear, expert_up, expert_down) should be packed: that of the
// most special kernel for these choices, K and output width. Throws ks::Error when the pack has none.
PanelChoice choose_panel(const ks_library &library, const std::string &op,
                         const std::map<std::string, std::string> &choices, int64_t K, int64_t width);

// Whether the pack has any kernel of `op` with these choices that this library runs.
bool has_kernel(const ks_library &library, const std::string &op,
                const std::map<std::string, std::string> &choices);

// Index of an op in the pack; throws ks::Error when it has none of that name.
int op_index(const std::string &name);

// Index of a choice's value as the C API passes it; throws ks::Error when there is no such value.
int choice_index(const std::string &op, const std::string &choice, const std::string &value);

} // namespace ks
