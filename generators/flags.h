// SPDX-License-Identifier: Apache-2.0
// Bits of the scalar `flags` of the ops that take one: which optional operands are there, and what else is
// done.
#pragma once

namespace ks {

enum ScanFlags { scan_gated = 1, scan_skip = 2, scan_bias = 4, scan_softplus = 8 };
enum ConvFlags { conv_bias = 1, conv_silu = 2 };
enum NormFlags { norm_add = 1 };
enum LinearFlags { linear_bias = 1 };

} // namespace ks
