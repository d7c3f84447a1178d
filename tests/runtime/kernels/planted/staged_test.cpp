// SPDX-License-Identifier: Apache-2.0
// Calls whose operands are on the host, on the stub of a GPU: its memory is the host's, so that a kernel of
// the test can use it.
#include "runtime/kernels/buffer_abi.h"
#include "runtime/kernels/staged.h"
#include "tests/runtime/kernels/planted/planted_pack.h"
#include <vector>

namespace ks::test {
namespace {

class Staged : public Planted {
  protected:
    std::vector<uint16_t> u_ = std::vector<uint16_t>(5 * 40), y_ = std::vector<uint16_t>(5 * 32, 7);
    std::vector<float> A_ = std::vector<float>(16 * 24, 2), state_ = std::vector<float>(2 * 16 * 24, 3);
    std::vector<int64_t> starts_ = {0, 2, 5};

    PlantedArgs args() {
        for (size_t i = 0; i < u_.size(); i++) u_[i] = static_cast<uint16_t>(i);
        PlantedArgs a;
        a.T = 5, a.sequences = 2, a.seq_start = starts_.data();
        a.u = u_.data(), a.u_stride = 40, a.y = y_.data(), a.y_stride = 32;
        a.A = A_.data(), a.state = state_.data();
        return a;
    }
};

const KernelBuffer &buffer(void **arguments, int i) { return *static_cast<KernelBuffer *>(arguments[i]); }
template <typename T>
T *data(void **arguments, int i) {
    return reinterpret_cast<T *>(buffer(arguments, i).device);
}

// y = u + the first state, in place 4 more in every state. Arguments: u, A, state, seq_start, equal steps,
// alignment, y.
void add(void **a) {
    const auto *u = data<uint16_t>(a, 0);
    auto *state = data<float>(a, 2), *A = data<float>(a, 1);
    auto *y = data<uint16_t>(a, 6);
    EXPECT_EQ(buffer(a, 0).dim[1].stride, 40);
    EXPECT_EQ(buffer(a, 6).dim[1].stride, 32);
    EXPECT_EQ(data<int64_t>(a, 3)[1], 2);
    EXPECT_EQ(A[16 * 24 - 1], 2);
    for (int t = 0; t < 5; t++)
        for (int d = 0; d < 24; d++) y[t * 32 + d] = static_cast<uint16_t>(u[t * 40 + d] + state[0]);
    for (int i = 0; i < 2 * 16 * 24; i++) state[i] += 4;
}

TEST_F(Staged, CopiesGoToTheDeviceAndResultsComeBack) {
    Library gpu = library("cuda");
    planted_kernel = add;
    PlantedArgs a = args();
    ASSERT_EQ(launch_staged(gpu.get(), 0, &a), KS_OK) << ks_last_error();
    EXPECT_EQ(planted_ran, "usual");
    for (size_t t = 0; t < 5; t++)
        for (size_t d = 0; d < 32; d++)
            ASSERT_EQ(y_[t * 32 + d], d < 24 ? t * 40 + d + 3 : 7) << t << " " << d;
    EXPECT_EQ(state_, std::vector<float>(2 * 16 * 24, 7));
    EXPECT_EQ(A_, std::vector<float>(16 * 24, 2));
}

TEST_F(Staged, WhatIsWrongIsSaidBeforeAnythingRuns) {
    Library gpu = library("cuda");
    PlantedArgs a = args();
    planted_ran = "none";
    starts_[1] = 5; // on the host it is looked at
    EXPECT_EQ(launch_staged(gpu.get(), 0, &a), KS_ERROR_RANGE);
    starts_[1] = 2, a.u = nullptr;
    EXPECT_EQ(launch_staged(gpu.get(), 0, &a), KS_ERROR_NULL);
    a = args(), a.io = 1;
    EXPECT_EQ(launch_staged(gpu.get(), 0, &a), KS_ERROR_NO_KERNEL);
    a = args();
    fail("cuMemcpyHtoD", 700);
    EXPECT_EQ(launch_staged(gpu.get(), 0, &a), KS_ERROR_DEVICE);
    EXPECT_EQ(planted_ran, "none");
}

} // namespace
} // namespace ks::test
