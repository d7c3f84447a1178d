// SPDX-License-Identifier: Apache-2.0
// One call of one op: argument checks, choice of the kernel, tasks for threads. The generated entry points of
// kingsnake/ops.h forward to launch().
#pragma once
#include "runtime/kernels/call.h"

namespace ks {

// `args` is the op's generated struct: 8-byte fields in the order size, stream, dimensions, choices,
// [sequences, seq_start] where the op has a ragged axis, operands (pointer, then stride where it is strided),
// scalars.
ks_status launch(const ks_library *library, int op, const void *args);

// A call that was read for the library's device: chooses its kernel, sets the flags of its optional operands,
// and runs it.
ks_status launch(const ks_library &library, Call &call);

// The checks and the choice of a kernel alone; nothing runs.
ks_status supported(const ks_library *library, int op, const void *args);

} // namespace ks
