// SPDX-License-Identifier: Apache-2.0
// A pack of one op whose kernels do what a test says, behind the runtime's own code and the stub of libcuda.
#pragma once
#include "runtime/kernels/launch.h"
#include <dlfcn.h>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <string>

namespace ks::test {

// y[T, D] of u[T, D] (bf16), A[N, D] and, for each sequence, state[N, D] (f32). T is ragged.
struct PlantedArgs {
    int64_t size = sizeof(PlantedArgs);
    void *stream = nullptr;
    int64_t T = 2, D = 24, N = 16, io = 0; // io: bf16, f16
    int64_t sequences = 1;
    const int64_t *seq_start = nullptr;
    const void *u = nullptr;
    int64_t u_stride = 0;
    const float *A = nullptr;
    float *state = nullptr;
    void *y = nullptr;
    int64_t y_stride = 0;
};

// For each target ("avx2", "cuda") and io = bf16, in this order: tuned for D = N = 16, usual for N = 16 and D
// a multiple of 8, base for any size; for "cuda" before the usual one another, "hopper", for multiples of 64
// on compute capability 9.0.
extern std::string planted_ran;                     // "tuned", "usual", ...: the last that ran
extern std::function<void(void **)> planted_kernel; // what all of them do

using Library = std::unique_ptr<ks_library, void (*)(ks_library *)>;

// With the stub of libcuda.
class Planted : public testing::Test {
  protected:
    static void SetUpTestSuite() { setenv("KS_LIBCUDA", KS_STUB_LIBCUDA, 1); }
    void SetUp() override {
        stub_ = dlopen(KS_STUB_LIBCUDA, RTLD_NOW);
        ASSERT_TRUE(stub_) << dlerror();
        reset();
        planted_kernel = nullptr;
    }

    static Library library(const char *isa, int device = 0) {
        ks_create_args a{sizeof a, 1, isa, device};
        ks_library *made = nullptr;
        EXPECT_EQ(ks_create(&a, &made), KS_OK) << ks_last_error();
        return {made, ks_destroy};
    }
    void reset() const { entry<void()>("stub_reset")(); }
    std::string calls() const { return entry<const char *()>("stub_calls")(); }
    void fail(const char *call, int status) const {
        entry<void(const char *, int)>("stub_fail")(call, status);
    }

  private:
    template <typename F>
    F *entry(const char *name) const {
        return reinterpret_cast<F *>(dlsym(stub_, name));
    }
    void *stub_ = nullptr;
};

} // namespace ks::test
