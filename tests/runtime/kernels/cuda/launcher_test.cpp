// SPDX-License-Identifier: Apache-2.0
// The launcher against a driver that writes down what it is asked (tests/support/stub_libcuda.cpp): what a
// launch costs and what goes wrong, without a GPU.
#include "dsl/ptx/cuda_kernel.h"
#include "dsl/ptx/images.h"
#include "dsl/ptx/program.h"
#include "runtime/base/error.h"
#include "runtime/kernels/buffer_abi.h"
#include "runtime/kernels/cuda/launcher.h"
#include "runtime/kernels/cuda/memory.h"
#include "runtime/kernels/cuda/timer.h"
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <new>
#include <sstream>
#include <thread>

// This thread's next allocations work, the one after fails; -1: all work.
// Not inlined, or GCC sees malloc and delete, or new and free, side by side and warns.
static thread_local int allocations_before_failure = -1;

[[gnu::noinline]] void *operator new(size_t bytes) {
    if (allocations_before_failure >= 0 && allocations_before_failure-- == 0) throw std::bad_alloc();
    if (void *memory = std::malloc(bytes ? bytes : 1)) return memory;
    throw std::bad_alloc();
}
[[gnu::noinline]] void *operator new(size_t bytes, const std::nothrow_t &) noexcept {
    return std::malloc(bytes ? bytes : 1);
}
[[gnu::noinline]] void operator delete(void *memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void *memory, size_t) noexcept { std::free(memory); }

extern "C" int ks_cuda_initialize_kernels(void **state, const char *images, int size);
extern "C" int ks_cuda_run(void *state, const char *name, int blocks_x, int blocks_y, int blocks_z,
                           int threads_x, int threads_y, int threads_z, int shared_bytes, size_t *sizes,
                           void **arguments, const int8_t *is_buffer);

namespace ks::cuda {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// y = 2 x over 100 elements, 64 threads a block; with `shared_rows` a block stages so many rows of 64 floats.
Kernel doubled(int shared_rows) {
    using namespace Halide;
    ImageParam x(Float(32), 1, "x");
    Var i("i"), r("r"), block("block"), thread("thread");
    Func staged("staged"), y("y");
    staged(i, r) = 2.f * x(i) + cast<float>(r);
    y(i) = shared_rows ? staged(i, 0) + staged(i, shared_rows - 1) : 2.f * x(i);
    y.gpu_tile(i, block, thread, 64, TailStrategy::GuardWithIf);
    if (shared_rows) staged.compute_at(y, block).store_in(MemoryType::GPUShared).gpu_threads(i);
    return {{y}, {x}, {}};
}

class Launcher : public testing::Test {
  protected:
    using Call = int (*)(void **);

    static void SetUpTestSuite() { setenv("KS_LIBCUDA", KS_STUB_LIBCUDA, 1); }

    void SetUp() override {
        ptxas_ = ptx::Ptxas::find();
        if (!ptxas_) GTEST_SKIP() << "there is no ptxas on this machine";
        stub_ = dlopen(KS_STUB_LIBCUDA, RTLD_NOW);
        ASSERT_TRUE(stub_) << dlerror();
        entry<void()>("stub_reset")();
    }

    // A kernel object of its own, in a library of its own: nothing of it is loaded yet.
    Call kernel(int shared_rows = 0, const std::vector<std::string> &archs = {"sm_80", "sm_90"},
                bool with_ptx = true) {
        std::string name = "kernel" + std::to_string(made_++), object = folder_.path(name + ".o"),
                    library = folder_.path(name + ".so");
        ptx::compile_cuda(doubled(shared_rows), name, *ptxas_, {archs, with_ptx}, object);
        auto linked = ptx::run_program({KS_CXX, "-shared", "-o", library, object});
        EXPECT_EQ(linked.status, 0) << linked.output;
        void *opened = dlopen(library.c_str(), RTLD_NOW);
        EXPECT_TRUE(opened) << dlerror();
        return reinterpret_cast<Call>(dlsym(opened, (name + "_argv").c_str()));
    }

    // Runs a kernel on buffers at the addresses 4096 (x, of 100 elements) and 8192 (y, the last 70); returns
    // the scope's error.
    static std::string launch(Call call, int device_ordinal = 0, size_t stream = 0) {
        LaunchScope scope(device(device_ordinal), reinterpret_cast<Stream>(stream));
        call_on_buffers(call);
        return scope.error();
    }
    static void call_on_buffers(Call call, int elements = 70) {
        KernelDim dims[2] = {{0, 100, 1, 0}, {30, elements, 1, 0}};
        KernelBuffer x{4096, nullptr, nullptr, 0, {kernel_float, 32, 1}, 1, &dims[0], nullptr}, y = x;
        y.device = 8192, y.dim = &dims[1];
        void *arguments[] = {&x, &y};
        call(arguments);
    }

    std::vector<std::string> calls() const {
        std::istringstream lines(entry<const char *()>("stub_calls")());
        std::vector<std::string> list;
        for (std::string line; std::getline(lines, line);) list.push_back(line);
        return list;
    }
    std::vector<std::string> calls_of(const std::string &name) const {
        std::vector<std::string> list;
        for (const auto &line : calls())
            if (line.rfind(name, 0) == 0) list.push_back(line);
        return list;
    }
    void fail(const char *call, int status) const {
        entry<void(const char *, int)>("stub_fail")(call, status);
    }
    void reset() const { entry<void()>("stub_reset")(); }
    // A digit for each of the first parameters of a kernel: its bytes.
    void show_parameters(const char *bytes) const { entry<void(const char *)>("stub_parameters")(bytes); }

    template <typename F>
    F *entry(const char *name) const {
        return reinterpret_cast<F *>(dlsym(stub_, name));
    }

    std::optional<ptx::Ptxas> ptxas_;
    ptx::ScratchFolder folder_;
    void *stub_ = nullptr;
    static inline int made_ = 0;
};

TEST_F(Launcher, AFirstCallLoadsAndASecondOnlyLaunches) {
    Call call = kernel();
    EXPECT_EQ(launch(call), "");
    EXPECT_THAT(calls_of("cuModuleLoadData"), ElementsAre(HasSubstr("cubin")));
    EXPECT_EQ(calls_of("cuModuleGetFunction").size(), 1u);
    reset();
    EXPECT_EQ(launch(call, 0, 77), "");
    EXPECT_THAT(calls(),
                ElementsAre("cuCtxGetCurrent", StartsWith("cuCtxPushCurrent"),
                            "cuLaunchKernel 2 1 1 64 1 1 0 0x4d 3000 1000 overlapping |", "cuCtxPopCurrent"));
}

TEST_F(Launcher, OnlyCodeThatWaitsForTheLaunchBeforeMayOverlapIt) {
    Call call = kernel();
    launch(call, 0);
    launch(call, 1);              // of compute capability 8.0, whose code cannot wait
    launch(kernel(0, {"sm_80"})); // the driver translates the text, which does not
    auto launches = calls_of("cuLaunchKernel");
    ASSERT_EQ(launches.size(), 3u);
    EXPECT_THAT(launches[0], HasSubstr("overlapping"));
    EXPECT_THAT(launches[1], Not(HasSubstr("overlapping")));
    EXPECT_THAT(launches[2], Not(HasSubstr("overlapping")));
}

// x, y, the blocks that need no guard, where y begins in x, where y ends and begins.
TEST_F(Launcher, AKernelIsGivenItsBuffersAndExtents) {
    Call call = kernel();
    show_parameters("884444");
    EXPECT_EQ(launch(call), "");
    EXPECT_THAT(calls_of("cuLaunchKernel"), ElementsAre(EndsWith("| 4096 8192 1 30 100 30")));
}

TEST_F(Launcher, AContextThatIsCurrentIsNotPushed) {
    Call call = kernel();
    ContextScope outer(device(0));
    launch(call);
    reset();
    launch(call);
    EXPECT_THAT(calls(), ElementsAre("cuCtxGetCurrent", StartsWith("cuLaunchKernel")));
}

TEST_F(Launcher, EveryDeviceLoadsItsOwnCode) {
    Call call = kernel(0, {"sm_90"}); // the stub's second device is of capability 8.0
    EXPECT_EQ(launch(call, 0), "");
    EXPECT_EQ(launch(call, 1), "");
    EXPECT_EQ(launch(call, 0), "");
    auto loads = calls_of("cuModuleLoadData");
    ASSERT_EQ(loads.size(), 2u);
    EXPECT_THAT(loads[0], HasSubstr("cubin"));
    EXPECT_THAT(loads[1], HasSubstr("ptx"));
    // The stub refuses a module or function of another device than that of the current context.
    EXPECT_THAT(calls_of("cuLaunchKernel"),
                ElementsAre(HasSubstr(" 3000 1000 "), HasSubstr(" 3001 1001 |"), HasSubstr(" 3000 1000 ")));
}

TEST_F(Launcher, AScopeInAScopeGivesTheOuterOneBack) {
    Call call = kernel();
    {
        LaunchScope outer(device(0), reinterpret_cast<Stream>(1));
        {
            LaunchScope inner(device(1), reinterpret_cast<Stream>(2));
            call_on_buffers(call);
            fail("cuLaunchKernel", 2);
            call_on_buffers(call);
            EXPECT_THAT(inner.error(), StartsWith("Stub GPU 1: "));
            fail("cuLaunchKernel", 0);
        }
        EXPECT_EQ(outer.error(), "");
        call_on_buffers(call);
        EXPECT_EQ(outer.error(), "");
        fail("cuLaunchKernel", 2);
        call_on_buffers(call);
        fail("cuLaunchKernel", 0);
        LaunchScope(device(1), nullptr);
        EXPECT_THAT(outer.error(), StartsWith("Stub GPU 0: "));
    }
    call_on_buffers(call); // of no scope
    EXPECT_THAT(calls_of("cuLaunchKernel"),
                ElementsAre(HasSubstr(" 0x2 3001 1001 |"), HasSubstr(" 0x2 3001 1001 |"),
                            HasSubstr(" 0x1 3000 1000 "), HasSubstr(" 0x1 3000 1000 ")));
}

TEST_F(Launcher, MuchSharedMemoryIsAskedForOnce) {
    Call little = kernel(4), much = kernel(256); // 1 KB and 64 KB
    EXPECT_EQ(launch(little), "");
    EXPECT_THAT(calls_of("cuFuncSetAttribute"), ElementsAre());
    EXPECT_EQ(launch(much), "");
    EXPECT_EQ(launch(much), "");
    EXPECT_THAT(calls_of("cuFuncSetAttribute"),
                ElementsAre("cuFuncSetAttribute 8 65536", "cuFuncSetAttribute 9 100"));
    EXPECT_THAT(calls_of("cuLaunchKernel")[1], HasSubstr(" 65536 "));
    Call too_much = kernel(1024); // 256 KB
    EXPECT_THAT(launch(too_much), HasSubstr("262144 bytes of shared memory, a block has 232448"));
}

TEST_F(Launcher, WhatGoesWrongIsOneLine) {
    Call call = kernel();
    fail("cuModuleLoadData", 209);
    EXPECT_EQ(launch(call), "Stub GPU 0: CUDA_ERROR_NO_BINARY_FOR_GPU: no kernel image is available");
    reset();
    fail("cuLaunchKernel", 999999); // younger than the driver
    EXPECT_EQ(launch(call), "Stub GPU 0: error 999999");
    reset();
    EXPECT_EQ(launch(call), ""); // an error is of one scope
    EXPECT_THAT(launch(kernel(0, {"sm_90"}, false), 1), HasSubstr("no code for compute capability 8.0"));
    EXPECT_THROW(device(2), Error);
    EXPECT_THROW(device(-1), Error);
}

// Which of its errors are want of memory, of the driver's or the host's, the scope knows.
TEST_F(Launcher, MemoryThatTheDriverLacksIsAnErrorOfItsOwn) {
    Call call = kernel();
    for (const char *step : {"cuModuleLoadData", "cuModuleGetFunction", "cuLaunchKernel"})
        for (int status : {2, 209}) {
            SCOPED_TRACE(step + std::string(" ") + std::to_string(status));
            fail(step, status);
            LaunchScope scope(device(0), nullptr);
            EXPECT_FALSE(scope.out_of_memory());
            call_on_buffers(call);
            EXPECT_EQ(scope.out_of_memory(), status == 2) << scope.error();
            EXPECT_THAT(scope.error(), HasSubstr(status == 2 ? ": CUDA_ERROR_OUT_OF_MEMORY: out of memory"
                                                             : ": CUDA_ERROR_NO_BINARY_FOR_GPU"));
            fail(step, 2); // the first error stays
            call_on_buffers(call);
            EXPECT_EQ(scope.out_of_memory(), status == 2);
            fail(step, 0);
        }
    EXPECT_EQ(launch(call), "");
}

// The driver refuses it. The code is loaded all the same: a later call may be captured.
TEST_F(Launcher, AnEmptyGridIsLoadedAndNotLaunched) {
    Call call = kernel();
    LaunchScope scope(device(0), nullptr);
    call_on_buffers(call, 0);
    EXPECT_EQ(scope.error(), "");
    EXPECT_EQ(calls_of("cuModuleGetFunction").size(), 1u);
    EXPECT_THAT(calls_of("cuLaunchKernel"), ElementsAre());
    call_on_buffers(call, 1);
    EXPECT_EQ(calls_of("cuModuleGetFunction").size(), 1u);
    EXPECT_EQ(calls_of("cuLaunchKernel").size(), 1u);
}

TEST_F(Launcher, ACallOutsideAScopeLaunchesNothing) {
    Call call = kernel();
    call_on_buffers(call);
    EXPECT_THAT(calls_of("cuLaunchKernel"), ElementsAre());
    size_t no_sizes[] = {0};
    EXPECT_NE(ks_cuda_run(nullptr, "k", 1, 1, 1, 1, 1, 1, 0, no_sizes, nullptr, nullptr), 0);
    EXPECT_EQ(launch(call), ""); // and no later scope is told
}

// Host code that calls the launcher has no frames to unwind, so nothing may be thrown through it.
TEST_F(Launcher, MemoryThatRunsOutIsAnError) {
    Call call = kernel();
    LaunchScope warm(device(0), nullptr);
    int failures = 0;
    for (std::string error = "none yet"; !error.empty(); failures++) {
        LaunchScope scope(device(0), nullptr);
        allocations_before_failure = failures;
        call_on_buffers(call);
        allocations_before_failure = -1;
        error = scope.error();
        EXPECT_THAT(error, AnyOf("", "out of memory"));
        EXPECT_EQ(scope.out_of_memory(), error != "");
        ASSERT_LT(failures, 1000);
    }
    EXPECT_GT(failures, 3); // the object, its code on the device and the function at least
    reset();
    EXPECT_EQ(launch(call), "");
    EXPECT_EQ(calls_of("cuLaunchKernel").size(), 1u);
}

TEST_F(Launcher, ALaunchOfWhatIsLoadedAllocatesNothing) {
    Call call = kernel();
    ASSERT_EQ(launch(call), "");
    entry<void(int)>("stub_listen")(0); // else the stub allocates
    const OpenDevice &on = device(0);
    allocations_before_failure = 0;
    {
        LaunchScope scope(on, nullptr);
        call_on_buffers(call);
        EXPECT_EQ(allocations_before_failure, 0);
        allocations_before_failure = -1;
        EXPECT_EQ(scope.error(), "");
    }
}

TEST_F(Launcher, MemoryAndTimeAreToolsBesideIt) {
    DeviceMemory memory(device(0), 64);
    memory.fill(3);
    char bytes[64] = "";
    memory.copy_to(bytes, sizeof bytes);
    EXPECT_EQ(bytes[63], 3);
    Call call = kernel();
    Timer timer(device(0));
    EXPECT_EQ(timer.seconds([&] { call_on_buffers(call); }), 1e-3);
}

TEST_F(Launcher, ThreadsHaveScopesOfTheirOwn) {
    Call call = kernel();
    std::vector<std::thread> threads;
    for (size_t t = 0; t < 4; t++)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 50; i++) EXPECT_EQ(launch(call, static_cast<int>(t % 2), t + 1), "");
        });
    for (auto &t : threads) t.join();
    EXPECT_EQ(calls_of("cuModuleLoadData").size(), 2u);
    EXPECT_EQ(calls_of("cuModuleGetFunction").size(), 2u);
    for (const char *stream : {"0x1", "0x2", "0x3", "0x4"}) {
        size_t launches = 0;
        for (const auto &line : calls_of("cuLaunchKernel"))
            launches += line.find(std::string(" ") + stream + " ") != std::string::npos;
        EXPECT_EQ(launches, 50u);
    }
}

// What a launch costs the host beside the driver's own work: the kernel's host code and ours.
TEST_F(Launcher, TheHostsPartOfALaunchIsShort) {
    Call call = kernel();
    ASSERT_EQ(launch(call), "");
    entry<void(int)>("stub_listen")(0);
    auto median_ns = [](const auto &once) {
        constexpr int calls_a_run = 2000;
        std::vector<double> runs(51);
        for (double &ns : runs) {
            auto begin = std::chrono::steady_clock::now();
            for (int i = 0; i < calls_a_run; i++) once();
            ns = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count() /
                 calls_a_run;
        }
        std::nth_element(runs.begin(), runs.begin() + 25, runs.end());
        return runs[25];
    };
    double with_scope = median_ns([&] { launch(call); }), alone = 0;
    {
        LaunchScope scope(device(0), nullptr);
        alone = median_ns([&] { call_on_buffers(call); });
        EXPECT_EQ(scope.error(), "");
    }
    reset();
    std::printf("a launch takes the host %.0f ns, %.0f ns with its scope\n", alone, with_scope);
    RecordProperty("launch_ns", std::to_string(alone));
    RecordProperty("launch_with_scope_ns", std::to_string(with_scope));
    EXPECT_LT(with_scope, 10000); // 100 times what is usual: sanitizers and loaded machines have room
}

// A driver is opened once per process, so each of these has one.
void expect_no_driver(const char *library, const char *line) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    auto open = [&] {
        setenv("KS_LIBCUDA", library, 1);
        try {
            device(0);
        } catch (const Error &e) {
            std::fprintf(stderr, "%s\n", e.what());
            std::exit(3);
        }
    };
    EXPECT_EXIT(open(), testing::ExitedWithCode(3), line);
}

TEST(NoDriver, IsOneLine) {
    expect_no_driver("no-such-libcuda.so", "^NVIDIA driver: no-such-libcuda.so: cannot open");
}
// CUDA 11.0 has all that launches need, and no cuGraphInstantiateWithFlags.
TEST(OldDriver, LaunchesAndSaysWhatItIsWhenAskedForMore) {
    auto launch_and_ask = [] {
        setenv("KS_LIBCUDA", KS_STUB_OLD_LIBCUDA, 1);
        auto images = ptx::join_images({{ImageKind::ptx, "sm_80", {'k', 0}}});
        void *state = nullptr;
        size_t no_sizes[] = {0};
        LaunchScope scope(device(0), nullptr);
        int status = ks_cuda_initialize_kernels(&state, reinterpret_cast<const char *>(images.data()), 0) +
                     ks_cuda_run(state, "k", 1, 1, 1, 1, 1, 1, 0, no_sizes, nullptr, nullptr);
        try {
            DeviceMemory(device(0), 64);
        } catch (const Error &e) {
            std::fprintf(stderr, "%s%s\n", scope.error().c_str(), e.what());
            std::exit(status ? 4 : 3);
        }
    };
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(launch_and_ask(), testing::ExitedWithCode(3),
                "^NVIDIA driver: has no cuGraphInstantiateWithFlags: it is of CUDA 11.0, "
                "measuring needs CUDA 11.4\n$");
}
TEST(OldDriver, TooOldToLaunchSaysWhatItIs) {
    expect_no_driver(KS_STUB_VERY_OLD_LIBCUDA, "^NVIDIA driver: has no cuDevicePrimaryCtxRelease_v2: "
                                               "it is of CUDA 10.2, launches need CUDA 11.0");
}

TEST(NoDriver, NorALibraryThatIsNone) {
    expect_no_driver("libm.so.6", "^NVIDIA driver: has no cuInit: it is of an unknown CUDA version, "
                                  "launches need CUDA 11.0");
}

} // namespace
} // namespace ks::cuda
