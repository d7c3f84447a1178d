// SPDX-License-Identifier: Apache-2.0
// The code of one kernel for several GPU architectures, side by side in one block of bytes: what ksc puts
// into an object in place of Halide's PTX, and what the launcher picks from.
#pragma once
#include <cstddef>
#include <cstdint>

namespace ks::cuda {

// Layout: ImageHeader, `count` ImageEntry, then the images, each at a multiple of 16 bytes.
struct ImageHeader {
    char magic[8]; // image_magic
    uint64_t size; // bytes of the whole block: the launcher is given its address alone
    uint32_t count, reserved;
};

constexpr char image_magic[8] = {'K', 'S', 'C', 'U', 'D', 'A', '0', '1'};

// ptx ends with a null byte, as the driver wants it; launch is no code but a TileLaunch (tile_launch.h), in
// blocks of kernels that need one.
enum class ImageKind : uint32_t { cubin, ptx, launch };

struct ImageEntry {
    ImageKind kind;
    uint32_t capability;   // major * 10 + minor of the architecture it was made for
    uint32_t architecture; // 1: of "sm_90a" and the like, which no other architecture runs
    uint32_t waits;        // 1: its kernels wait for the launch before them to end, which they may overlap
    uint64_t offset, size; // bytes, from the header
};

struct ChosenImage {
    const void *bytes; // null: there is none
    bool waits;
};

// The image that a device of compute capability major.minor should load, from bytes that begin with an
// ImageHeader: its own architecture's, else the nearest below it with the same major number, else PTX for the
// driver to translate. None when the bytes are no such block.
ChosenImage choose_image(const void *block, int major, int minor);

// The description of a launch that is not an ordinary one, or null.
struct TileLaunch;
const TileLaunch *launch_in(const void *block);

} // namespace ks::cuda
