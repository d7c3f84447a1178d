// SPDX-License-Identifier: Apache-2.0
// KS_ERROR_MEMORY: where the GPU has none left, at every step of a call that can lack it; what runs later is
// none the worse.
#include "dsl/ptx/images.h"
#include "runtime/kernels/staged.h"
#include "tests/runtime/kernels/planted/planted_pack.h"

extern "C" int ks_cuda_initialize_kernels(void **state, const char *images, int size);
extern "C" int ks_cuda_run(void *state, const char *name, int blocks_x, int blocks_y, int blocks_z,
                           int threads_x, int threads_y, int threads_z, int shared_bytes, size_t *sizes,
                           void **arguments, const int8_t *is_buffer);

namespace ks::test {
namespace {

// What the host code of a kernel object does; its code is of one test.
struct Object {
    void *state = nullptr;
    std::vector<uint8_t> images = ptx::join_images({{cuda::ImageKind::ptx, "sm_80", {'k', 0}}});
    void run() {
        size_t no_sizes[] = {0};
        ks_cuda_initialize_kernels(&state, reinterpret_cast<const char *>(images.data()), 0);
        ks_cuda_run(state, "k", 1, 1, 1, 1, 1, 1, 0, no_sizes, nullptr, nullptr);
    }
};

class OutOfMemory : public Planted {
  protected:
    void SetUp() override {
        Planted::SetUp();
        gpu_ = library("cuda");
        static std::vector<std::unique_ptr<Object>> objects; // the launcher remembers them
        objects.push_back(std::make_unique<Object>());
        planted_kernel = [object = objects.back().get()](void **) { object->run(); };
        alignas(16) static float memory[3][16 * 24];
        args_.u = memory[0], args_.A = memory[0], args_.state = memory[1], args_.y = memory[2];
    }

    // On the device, and with operands on the host.
    ks_status called() { return launch(gpu_.get(), 0, &args_); }
    ks_status staged() { return launch_staged(gpu_.get(), 0, &args_); }

    Library gpu_{nullptr, ks_destroy};
    PlantedArgs args_;
};

constexpr int no_memory = 2, no_image = 209;

TEST_F(OutOfMemory, AtTheLoadOfAKernelAndAtItsLaunch) {
    for (const char *step : {"cuModuleLoadData", "cuModuleGetFunction", "cuLaunchKernel"}) {
        SCOPED_TRACE(step);
        fail(step, no_memory);
        EXPECT_EQ(called(), KS_ERROR_MEMORY);
        EXPECT_NE(std::string(ks_last_error()).find(": CUDA_ERROR_OUT_OF_MEMORY: out of memory"),
                  std::string::npos)
            << ks_last_error();
        EXPECT_EQ(std::string(ks_last_error()).rfind("planted: ", 0), 0u) << ks_last_error();
        EXPECT_EQ(staged(), KS_ERROR_MEMORY);
        fail(step, no_image);
        EXPECT_EQ(called(), KS_ERROR_DEVICE);
        fail(step, 0);
    }
    EXPECT_EQ(called(), KS_OK) << ks_last_error();
}

TEST_F(OutOfMemory, ForCopiesOfOperands) {
    fail("cuMemAlloc", no_memory);
    EXPECT_EQ(staged(), KS_ERROR_MEMORY);
    EXPECT_STREQ(ks_last_error(), "planted: Stub GPU 0: 96 bytes: CUDA_ERROR_OUT_OF_MEMORY: out of memory");
    EXPECT_EQ(called(), KS_OK) << "which allocates nothing";
    fail("cuMemAlloc", no_image);
    EXPECT_EQ(staged(), KS_ERROR_DEVICE);
    fail("cuMemAlloc", 0);
    EXPECT_EQ(staged(), KS_OK) << ks_last_error();
}

TEST_F(OutOfMemory, ForTheContextOfADevice) {
    ks_create_args a{sizeof a, 1, "cuda", 1};
    ks_library *made = nullptr;
    fail("cuDevicePrimaryCtxRetain", no_memory);
    const ks_status status = ks_create(&a, &made);
    if (status == KS_OK && calls().find("cuDevicePrimaryCtxRetain") == std::string::npos) {
        ks_destroy(made);
        GTEST_SKIP() << "another test of this process has opened the device";
    }
    EXPECT_EQ(status, KS_ERROR_MEMORY);
    EXPECT_EQ(made, nullptr);
    fail("cuDevicePrimaryCtxRetain", no_image);
    EXPECT_EQ(ks_create(&a, &made), KS_ERROR_DEVICE);
    fail("cuDevicePrimaryCtxRetain", 0);
    EXPECT_EQ(ks_create(&a, &made), KS_OK) << ks_last_error();
    ks_destroy(made);
}

} // namespace
} // namespace ks::test
