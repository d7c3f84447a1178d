// SPDX-License-Identifier: Apache-2.0
// The ring of stages between producers and consumers, as instructions. Every thread has its own place in it,
// %ks_slot and %ks_phase (how often it went round, its last bit), and all pass through the stages in the same
// order: the barrier "full" of a stage says that it may be read, "empty" that it may be overwritten.
#pragma once
#include "dsl/tile/cuda/code.h"
#include "dsl/tile/cuda/shared_layout.h"

namespace ks::tile::ring {

// Before the roles part: `fillers` arrivals fill a stage (beside the bytes that they announce), `readers`
// free it. One thread initialises; all may use the ring afterwards.
inline void init(Code &code, const TileOp &op, int fillers, int readers) {
    using L = SharedLayout;
    code("mov.u32 %ks_slot, 0;");
    code("mov.u32 %ks_phase, 0;");
    code.block([&] {
        code(".reg .pred %other;");
        code(".reg .b32 %thread;");
        code("mov.u32 %thread, %tid.x;");
        code("setp.ne.u32 %other, %thread, 0;");
        code("@%other bra READY;");
        for (int i = 0; i < op.stages; i++) {
            code("mbarrier.init.shared::cta.b64 [%ks_base+", L::full + i * L::barrier_bytes, "], ", fillers,
                 ";");
            code("mbarrier.init.shared::cta.b64 [%ks_base+", L::empty + i * L::barrier_bytes, "], ", readers,
                 ";");
        }
        code("fence.mbarrier_init.release.cluster;");
        code("fence.proxy.async.shared::cta;");
        code("READY:");
        code("bar.sync 0;");
    });
}

// `address` = that of barrier "full" of the current stage; add SharedLayout::empty for the other one.
inline void barrier_of_slot(Code &code, const char *slot, const char *address) {
    code("mad.lo.u32 ", address, ", ", slot, ", ", SharedLayout::barrier_bytes, ", %ks_base;");
}

// Until the phase with that parity of the barrier at `address` is over.
inline void wait(Code &code, const std::string &address, const char *parity) {
    code.block([&] {
        code(".reg .pred %over;");
        code("WAIT:");
        code("mbarrier.try_wait.parity.shared::cta.b64 %over, [", address, "], ", parity, ";");
        code("@!%over bra WAIT;");
    });
}

inline void advance(Code &code, const TileOp &op) {
    code.block([&] {
        code(".reg .pred %around;");
        code("add.u32 %ks_slot, %ks_slot, 1;");
        code("setp.eq.u32 %around, %ks_slot, ", op.stages, ";");
        code("@%around mov.u32 %ks_slot, 0;");
        code("@%around xor.b32 %ks_phase, %ks_phase, 1;");
    });
}

} // namespace ks::tile::ring
