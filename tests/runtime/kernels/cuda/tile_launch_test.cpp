// SPDX-License-Identifier: Apache-2.0
// Launching a tile kernel through the host code of its object, against a driver that writes down what it is
// asked: its tensor maps, threads and shared memory.
#include "dsl/ptx/images.h"
#include "dsl/ptx/program.h"
#include "dsl/tile/cuda/shared_layout.h"
#include "runtime/base/error.h"
#include "runtime/kernels/cuda/launcher.h"
#include "runtime/kernels/cuda/tensor_map.h"
#include "tests/dsl/tile/cuda/examples.h"
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <gmock/gmock.h>

namespace ks::cuda {
namespace {

using testing::HasSubstr;

class TileLaunchTest : public testing::Test {
  protected:
    static void SetUpTestSuite() { setenv("KS_LIBCUDA", KS_STUB_LIBCUDA, 1); }
    void SetUp() override {
        stub_ = dlopen(KS_STUB_LIBCUDA, RTLD_NOW);
        ASSERT_TRUE(stub_) << dlerror();
        reinterpret_cast<void (*)()>(dlsym(stub_, "stub_reset"))();
    }
    std::string calls() const { return reinterpret_cast<const char *(*)()>(dlsym(stub_, "stub_calls"))(); }
    void *stub_ = nullptr;
};

KernelBuffer matrix(uint64_t address, uint8_t bits, KernelDim *dims, int dimensions = 2) {
    return {address, nullptr, nullptr, 0, {kernel_uint, bits, 1}, dimensions, dims, nullptr};
}

// A kernel, loaded from its object.
struct Built {
    Built(const Kernel &kernel, const ptx::Ptxas &ptxas) {
        ptx::ScratchFolder folder;
        std::string object = folder.path("tile.o"), library = folder.path("tile.so");
        auto reports =
            ptx::compile_cuda(kernel, "tile_product", ptxas, ptx::build_for(kernel.device, ptxas), object);
        EXPECT_EQ(reports.at(0).kernels.at(0).spill_stores, 0);
        auto linked = ptx::run_program({KS_CXX, "-shared", "-o", library, object});
        EXPECT_EQ(linked.status, 0) << linked.output;
        void *opened = dlopen(library.c_str(), RTLD_NOW);
        if (!opened) throw Error(library, dlerror());
        call = reinterpret_cast<int (*)(void **)>(dlsym(opened, "tile_product_argv"));
        if (!call) throw Error(library, "has no tile_product_argv");
    }
    int (*call)(void **);
};

TEST_F(TileLaunchTest, TheObjectsOwnHostCodeBringsTensorMaps) {
    auto ptxas = ptx::Ptxas::find();
    if (!ptxas || !ptxas->knows("sm_90a")) GTEST_SKIP() << "no ptxas on this machine knows sm_90a";
    tile::TileOp op;
    op.order.resident = 132;
    tile::Example example({300, 136, 100, 104, true}, op);
    Built tile(example.kernel(), *ptxas);

    KernelDim a_dims[2] = {{0, 100, 1, 0}, {0, 300, 104, 0}}, w_dims[2] = {{0, 100, 1, 0}, {0, 136, 104, 0}},
              y_dims[2] = {{0, 136, 1, 0}, {0, 300, 136, 0}};
    KernelBuffer a = matrix(4096, 16, a_dims), w = matrix(8192, 16, w_dims), y = matrix(16384, 16, y_dims);
    void *arguments[] = {&a, &w, &y};
    {
        LaunchScope scope(device(0), nullptr);
        tile.call(arguments);
        EXPECT_EQ(scope.error(), "");
    }
    // type, rank, address, columns, rows, bytes of a row, box, swizzle
    EXPECT_THAT(calls(), HasSubstr("cuTensorMapEncodeTiled 1 2 4096 100 300 208 64 128 3\n"));
    EXPECT_THAT(calls(), HasSubstr("cuTensorMapEncodeTiled 1 2 8192 100 136 208 64 256 3\n"));
    EXPECT_THAT(calls(), HasSubstr("cuTensorMapEncodeTiled 1 2 16384 136 300 272 64 64 3\n"));
    EXPECT_THAT(calls(), HasSubstr("cuLaunchKernel 132 1 1 384 1 1 231424 "));

    a.device = 4096 + 8;
    LaunchScope scope(device(0), nullptr);
    tile.call(arguments);
    EXPECT_THAT(scope.error(), HasSubstr("rows do not begin at multiples of 16 bytes"));
}

// Three row tiles by two column tiles by four blocks that split K: whole clusters, also at the edges.
TEST_F(TileLaunchTest, ClustersAreWholeInTheGrid) {
    auto ptxas = ptx::Ptxas::find();
    if (!ptxas || !ptxas->knows("sm_90a")) GTEST_SKIP() << "no ptxas on this machine knows sm_90a";
    tile::TileOp op;
    op.splits = 4;
    op.columns = 64;
    op.warpgroups = 1;
    op.consumer_registers = 240;
    op.staged_store = false;
    op.order = {1, 0};
    tile::Example example({130, 124, 520, 0, true}, op);
    Built tile(example.kernel(), *ptxas);
    KernelDim a_dims[2] = {{0, 520, 1, 0}, {0, 130, 520, 0}}, w_dims[2] = {{0, 520, 1, 0}, {0, 124, 520, 0}},
              y_dims[2] = {{0, 124, 1, 0}, {0, 130, 124, 0}};
    KernelBuffer a = matrix(4096, 16, a_dims), w = matrix(8192, 16, w_dims), y = matrix(16384, 16, y_dims);
    void *arguments[] = {&a, &w, &y};
    LaunchScope scope(device(0), nullptr);
    tile.call(arguments);
    EXPECT_EQ(scope.error(), "");
    std::string shared = std::to_string(tile::SharedLayout(example.op).launch_bytes());
    EXPECT_THAT(calls(), HasSubstr("cuLaunchKernel 24 1 1 256 1 1 " + shared + " "));
    EXPECT_THAT(calls(), HasSubstr("cuTensorMapEncodeTiled 1 2 8192 520 124 1040 64 64 3\n"));
}

TEST_F(TileLaunchTest, DimensionsBelowEachOtherAreRows) {
    TensorMap map;
    KernelDim dims[3] = {{0, 64, 1, 0}, {0, 128, 64, 0}, {0, 5, 128 * 64, 0}};
    set_tensor_map(map, matrix(4096, 16, dims, 3), {0, 0, 64});
    EXPECT_THAT(calls(), HasSubstr("cuTensorMapEncodeTiled 1 2 4096 64 640 128 64 64 3\n"));
    dims[2].stride = 100;
    EXPECT_THROW(set_tensor_map(map, matrix(4096, 16, dims, 3), {0, 0, 64}), Error);
    KernelDim columns[2] = {{0, 64, 2, 0}, {0, 128, 128, 0}};
    EXPECT_THROW(set_tensor_map(map, matrix(4096, 16, columns), {0, 0, 64}), Error);
    EXPECT_THROW(set_tensor_map(map, matrix(4096, 8, dims), {0, 0, 64}), Error);
}

TEST(TileLaunchImage, TravelsBesideTheCodeAndIsNoCode) {
    TileLaunch launch{1024, 1, {{2, 100, 64}}};
    std::vector<uint8_t> bytes(sizeof launch), code = {1, 2, 3};
    std::memcpy(bytes.data(), &launch, sizeof launch);
    auto block = ptx::join_images({{ImageKind::launch, "sm_90a", bytes}, {ImageKind::cubin, "sm_90a", code}});
    const TileLaunch *found = launch_in(block.data());
    ASSERT_TRUE(found);
    EXPECT_EQ(found->shared_bytes, 1024u);
    EXPECT_EQ(found->map[0].argument, 2u);
    EXPECT_EQ(std::memcmp(choose_image(block.data(), 9, 0).bytes, code.data(), code.size()), 0);
    EXPECT_EQ(launch_in(ptx::join_images({{ImageKind::cubin, "sm_90a", code}}).data()), nullptr);
    block[8] = 16; // a block that ends within its header
    for (size_t i = 9; i < 16; i++) block[i] = 0;
    EXPECT_EQ(launch_in(block.data()), nullptr);
    bytes.pop_back(); // of another layout
    EXPECT_EQ(launch_in(ptx::join_images({{ImageKind::launch, "sm_90a", bytes}}).data()), nullptr);
}

} // namespace
} // namespace ks::cuda
