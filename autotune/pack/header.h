// SPDX-License-Identifier: Apache-2.0
// The generated C of a pack: the header kingsnake/ops.h, and the source with contracts, kernels and entry
// points.
#pragma once
#include "autotune/pack/pack_kernel.h"

namespace ks::pack {

std::string ops_header();
std::string table_source(const std::vector<PackKernel> &kernels); // tuned ones come first

} // namespace ks::pack
