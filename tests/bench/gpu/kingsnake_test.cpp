// SPDX-License-Identifier: Apache-2.0
// bench/gpu/kingsnake.py: headers read, and calls into a stand-in for the library.
#include "tests/bench/gpu/python.h"

namespace ks::test {
namespace {

class Binding : public Python {
  protected:
    Binding() {
        scratch_.write("kingsnake.h", "typedef struct ks_create_args {\n    size_t size;\n"
                                      "    int64_t threads; /* threads; 0: all */\n"
                                      "    const char *isa; /* \"cuda\" */\n    int64_t device;\n} "
                                      "ks_create_args;\n");
        scratch_.write("ops.h",
                       "/* scale, version 1 */\nenum { KS_SCALE_IO_F32 = 0, KS_SCALE_IO_BF16 = 1 };\n"
                       "typedef struct ks_scale_args {\n    size_t size; /* sizeof(ks_scale_args) */\n"
                       "    void *stream; /* CUDA stream; null: default */\n"
                       "    int64_t T; /* steps, 1 to 8 */\n    int64_t io; /* KS_SCALE_IO_* */\n"
                       "    const float *x; /* in, [T] */\n    float *y; /* out, [T] */\n"
                       "    double factor; /* of x */\n} ks_scale_args;\n"
                       "typedef struct ks_host_args {\n    size_t size;\n    int64_t T;\n} "
                       "ks_host_args;\n");
    }

    const std::string start_ = R"(
import ctypes
from bench.gpu import kingsnake
read = lambda name: open(scratch + '/' + name).read()
class Tensor:
    def __init__(self, *values):
        self.values = (ctypes.c_float * len(values))(*values)
    def data_ptr(self):
        return ctypes.addressof(self.values)
def library(device=0, create=None):
    return kingsnake.Library(')" KS_BENCH_STUB R"(', [create or read('kingsnake.h'), read('ops.h')], device)
def why(action):
    try:
        action()
    except kingsnake.Error as error:
        print(type(error).__name__ + ':', error)
)";
};

TEST_F(Binding, ReadsFieldsInTheirOrder) {
    expect_prints(start_ + "print([(n, t.__name__) for n, t in "
                           "kingsnake.read_structs(read('ops.h'))['ks_scale_args']])\n",
                  "[('size', 'c_ulong'), ('stream', 'c_void_p'), ('T', 'c_long'), ('io', 'c_long'), "
                  "('x', 'c_void_p'), ('y', 'c_void_p'), ('factor', 'c_double')]\n");
}

TEST_F(Binding, RefusesAFieldThatIsNotEightBytes) {
    expect_prints(start_ + "why(lambda: kingsnake.read_structs('typedef struct a { size_t size; float x; } "
                           "a;'))\n",
                  "Error: a: cannot read the field 'float x'\n");
}

TEST_F(Binding, CallsAnOpWithWhatTheHeaderSays) {
    expect_prints(start_ + "x, y = Tensor(1, 2, 3), Tensor(0, 0, 0)\n"
                           "call = library().bind('scale', T=3, io='bf16', x=x, y=y, factor=2.5)\n"
                           "call(77)\nprint(list(y.values))\n",
                  "[2.5, 5.0, 7.5]\n");
}

TEST_F(Binding, TellsWhatTheLibraryRefuses) {
    expect_prints(
        start_ + "x = Tensor(1)\nwhy(lambda: library().bind('scale', T=1, x=x, y=x, io='bf16')(5))\n"
                 "why(lambda: library().bind('scale', T=1))\nwhy(lambda: library().bind('scale', steps=1))\n",
        "Error: ks_scale: stream: must be 77\nError: ks_scale: x is null\n"
        "Error: ks_scale_args has no field steps; it has size, stream, T, io, x, y, factor\n");
}

TEST_F(Binding, TellsAMissingKernelFromAnError) {
    expect_prints(start_ +
                      "why(lambda: library().bind('scale', T=9))\nwhy(lambda: library().bind('conv', T=9))\n"
                      "why(lambda: library().bind('host', T=9))\n"
                      "why(lambda: library().bind('scale', T=1, io='f16'))\n",
                  "NoKernel: no CUDA kernel yet: no kernel for T = 9\n"
                  "NoKernel: no CUDA kernel yet: the pack has no op conv\n"
                  "NoKernel: no CUDA kernel yet: ks_host_args has no field 'stream'\n"
                  "NoKernel: no CUDA kernel yet: scale has no io f16\n");
}

TEST_F(Binding, TellsAPackWithoutCudaFromAGpuThatFails) {
    Said said =
        run(start_ + "why(lambda: library(3))\nwhy(lambda: library(4))\nwhy(lambda: "
                     "library(create=read('kingsnake.h').replace('    int64_t device;', '')))\nwhy(lambda: "
                     "kingsnake.open_pack(scratch))\n");
    std::istringstream lines(said.out);
    for (const auto &[kind, end] :
         {std::pair{"Error: ", "libks_bench_stub.so: nothing for this GPU"},
          {"NoKernel: ", "libks_bench_stub.so: nothing for this GPU"},
          {"NoKernel: ", "ks_create_args has no field 'device': a pack without CUDA"},
          {"NoKernel: ", ": wanted libkingsnake.so and include/kingsnake/ops.h there"}}) {
        std::string line;
        std::getline(lines, line);
        EXPECT_EQ(line.rfind(kind, 0), 0u) << line << said.err;
        EXPECT_NE(line.find(end), std::string::npos) << line;
    }
}

} // namespace
} // namespace ks::test
