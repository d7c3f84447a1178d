// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/cuda/image.h"
#include "runtime/kernels/cuda/tile_launch.h"
#include <cstring>

namespace ks::cuda {

namespace {

bool runs(const ImageEntry &e, uint32_t device) {
    if (e.kind == ImageKind::launch) return false;
    if (e.architecture) return e.capability == device;
    bool same_major = e.capability / 10 == device / 10;
    return e.capability <= device && (e.kind == ImageKind::ptx || same_major);
}

// Whether `a` serves a device better than `b`; both run on it.
bool better(const ImageEntry &a, const ImageEntry &b) {
    if (a.kind != b.kind) return a.kind == ImageKind::cubin;
    if (a.capability != b.capability) return a.capability > b.capability;
    return a.architecture > b.architecture;
}

} // namespace

namespace {

// Calls `visit` with every entry. False, and no further call, when the bytes are no block of images.
template <typename Visit>
bool for_entries(const void *block, const Visit &visit) {
    ImageHeader header;
    std::memcpy(&header, block, sizeof header);
    if (std::memcmp(header.magic, image_magic, sizeof image_magic)) return false;
    uint64_t size = header.size;
    if (size < sizeof header || header.count > (size - sizeof header) / sizeof(ImageEntry)) return false;
    for (uint32_t i = 0; i < header.count; i++) {
        ImageEntry e;
        std::memcpy(&e, static_cast<const char *>(block) + sizeof header + i * sizeof e, sizeof e);
        if (e.offset > size || e.size > size - e.offset) return false;
        visit(e);
    }
    return true;
}

} // namespace

ChosenImage choose_image(const void *block, int major, int minor) {
    ImageEntry best{};
    bool found = false;
    bool whole = for_entries(block, [&](const ImageEntry &e) {
        if (!runs(e, static_cast<uint32_t>(major * 10 + minor)) || (found && !better(e, best))) return;
        best = e;
        found = true;
    });
    if (!whole || !found) return {nullptr, false};
    return {static_cast<const char *>(block) + best.offset, best.waits == 1};
}

const TileLaunch *launch_in(const void *block) {
    const TileLaunch *found = nullptr; // images are aligned, so it may be read in place
    bool whole = for_entries(block, [&](const ImageEntry &e) {
        if (e.kind == ImageKind::launch && e.size == sizeof(TileLaunch))
            found = reinterpret_cast<const TileLaunch *>(static_cast<const char *>(block) + e.offset);
    });
    return whole ? found : nullptr;
}

} // namespace ks::cuda
