// SPDX-License-Identifier: Apache-2.0
// What ksc joins and what the launcher then picks.
#include "dsl/ptx/images.h"
#include "runtime/base/error.h"
#include <cstring>
#include <gtest/gtest.h>

namespace ks::ptx {
namespace {

using cuda::ImageKind;

Image image(ImageKind kind, const std::string &arch) {
    std::string text = (kind == ImageKind::ptx ? "ptx " : "cubin ") + arch;
    return {kind, arch, {text.c_str(), text.c_str() + text.size() + 1}};
}

// What a device gets, or "none".
std::string chosen(const std::vector<uint8_t> &block, int major, int minor) {
    const void *found = cuda::choose_image(block.data(), major, minor).bytes;
    return found ? static_cast<const char *>(found) : "none";
}

const std::vector<Image> plain = {image(ImageKind::cubin, "sm_80"), image(ImageKind::cubin, "sm_90"),
                                  image(ImageKind::cubin, "sm_100"), image(ImageKind::ptx, "sm_80")};

TEST(CudaImage, ADeviceGetsTheNearestCode) {
    std::vector<uint8_t> block = join_images(plain);
    EXPECT_EQ(chosen(block, 8, 0), "cubin sm_80");
    EXPECT_EQ(chosen(block, 8, 6), "cubin sm_80"); // same major number, later minor
    EXPECT_EQ(chosen(block, 9, 0), "cubin sm_90");
    EXPECT_EQ(chosen(block, 10, 0), "cubin sm_100");
    EXPECT_EQ(chosen(block, 10, 3), "cubin sm_100");
    EXPECT_EQ(chosen(block, 12, 0), "ptx sm_80"); // code of another major number does not run
    EXPECT_EQ(chosen(block, 7, 5), "none");
}

TEST(CudaImage, ArchitectureSpecificCodeRunsOnItsOwnAlone) {
    std::vector<Image> with = plain;
    with.push_back(image(ImageKind::cubin, "sm_90a"));
    EXPECT_EQ(chosen(join_images(with), 9, 0), "cubin sm_90a");
    EXPECT_EQ(chosen(join_images(with), 8, 0), "cubin sm_80");
    std::vector<uint8_t> alone = join_images({image(ImageKind::cubin, "sm_90a")});
    EXPECT_EQ(chosen(alone, 9, 0), "cubin sm_90a");
    EXPECT_EQ(chosen(alone, 10, 0), "none");
    EXPECT_EQ(chosen(join_images({image(ImageKind::ptx, "sm_90a")}), 10, 0), "none");
}

TEST(CudaImage, SaysWhetherItsKernelsWait) {
    std::vector<Image> some = plain;
    some[1].waits = true; // of sm_90
    std::vector<uint8_t> block = join_images(some);
    EXPECT_FALSE(cuda::choose_image(block.data(), 8, 0).waits);
    EXPECT_TRUE(cuda::choose_image(block.data(), 9, 0).waits);
    EXPECT_FALSE(cuda::choose_image(block.data(), 12, 0).waits);
}

TEST(CudaImage, EveryImageIsAligned) {
    std::vector<uint8_t> block = join_images(plain);
    for (auto [major, minor] : {std::pair{8, 0}, {9, 0}, {10, 0}, {12, 0}}) {
        auto *found = static_cast<const uint8_t *>(cuda::choose_image(block.data(), major, minor).bytes);
        EXPECT_EQ((found - block.data()) % 16, 0);
    }
}

TEST(CudaImage, DamagedBlocksHoldNothing) {
    const std::vector<uint8_t> block = join_images(plain);
    for (uint64_t size = 0; size < block.size(); size++) { // the end of an image is beyond it
        std::vector<uint8_t> smaller = block;
        std::memcpy(smaller.data() + offsetof(cuda::ImageHeader, size), &size, sizeof size);
        EXPECT_EQ(chosen(smaller, 9, 0), "none") << size;
    }
    std::vector<uint8_t> other = block;
    other[0] = 'X';
    EXPECT_EQ(chosen(other, 9, 0), "none");
    std::vector<uint8_t> many = block;
    std::memset(many.data() + offsetof(cuda::ImageHeader, count), 0xff, 4);
    EXPECT_EQ(chosen(many, 9, 0), "none");
    std::vector<uint8_t> far = block;
    std::memset(far.data() + sizeof(cuda::ImageHeader) + offsetof(cuda::ImageEntry, offset), 0xff, 8);
    EXPECT_EQ(chosen(far, 9, 0), "none");
    EXPECT_EQ(chosen(join_images({}), 9, 0), "none");
}

TEST(CudaImage, OddNamesAreRefused) {
    for (const char *arch : {"", "90", "sm_", "sm_90b", "compute_90"})
        EXPECT_THROW(join_images({image(ImageKind::cubin, arch)}), Error) << arch;
}

} // namespace
} // namespace ks::ptx
