// SPDX-License-Identifier: Apache-2.0
// Writing the block of images that runtime/kernels/cuda/image.h describes.
#pragma once
#include "runtime/kernels/cuda/image.h"
#include <string>
#include <vector>

namespace ks::ptx {

struct Image {
    cuda::ImageKind kind;
    std::string arch; // "sm_90", "sm_90a"; of PTX the one in its .target
    std::vector<uint8_t> bytes;
    bool waits = false; // its kernels wait for the launch before: with_dependent_launches()
};

// "sm_90a": 90. These throw ks::Error for a name that is no architecture.
int capability(const std::string &arch);
std::vector<uint8_t> join_images(const std::vector<Image> &images);

} // namespace ks::ptx
