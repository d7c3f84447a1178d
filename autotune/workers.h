// SPDX-License-Identifier: Apache-2.0
// The two worker programs of the tuner (ksc build-worker, ksc measure-worker): JSON lines in, JSON lines out;
// the requests are documented in stages.h.
#pragma once

namespace ks::tune {

int build_worker();   // candidate -> shared library
int measure_worker(); // shared library -> checked, timed

} // namespace ks::tune
