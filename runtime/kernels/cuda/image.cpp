// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/cuda/image.h"
#include <cstring>

namespace ks::cuda {

namespace {

bool runs(const ImageEntry &e, uint32_t device) {
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

const void *choose_image(const void *block, int major, int minor) {
    ImageHeader header;
    std::memcpy(&header, block, sizeof header);
    if (std::memcmp(header.magic, image_magic, sizeof image_magic)) return nullptr;
    uint64_t size = header.size;
    if (size < sizeof header || header.count > (size - sizeof header) / sizeof(ImageEntry)) return nullptr;
    const auto *base = static_cast<const char *>(block);
    ImageEntry best{};
    bool found = false;
    for (uint32_t i = 0; i < header.count; i++) {
        ImageEntry e;
        std::memcpy(&e, base + sizeof header + i * sizeof e, sizeof e);
        if (e.offset > size || e.size > size - e.offset) return nullptr;
        if (!runs(e, static_cast<uint32_t>(major * 10 + minor)) || (found && !better(e, best))) continue;
        best = e;
        found = true;
    }
    return found ? base + best.offset : nullptr;
}

} // namespace ks::cuda
