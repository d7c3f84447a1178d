// SPDX-License-Identifier: Apache-2.0
// Time in lanes on a GPU: averages, whose decays are no powers, against sums in double precision. (The
// selective scan's own results are checked with those of all ops.)
#include "autotune/device.h"
#include "dsl/ptx/program.h"
#include "dsl/recurrence/time_in_lanes.h"
#include "tests/dsl/recurrence/averages.h"
#include "tests/support/device_text.h"
#include <gtest/gtest.h>

namespace ks::test {
namespace {

struct Case {
    int states; // of the kernel; 0: any number
    int D, N, T;
    TimePlan plan;
};

// Parts of blocks, of tiles and of groups of states.
const std::vector<Case> cases = {
    {4, 21, 4, 45, {8, 2, 8, 2}},        {4, 21, 4, 45, {8, 2, 8, 2, 2}}, {0, 5, 37, 300, {1, 2, 8, 1}},
    {20, 9, 20, 1500, {4, 4, 16, 4, 2}}, {0, 33, 1, 17, {16, 1, 4, 1}},   {16, 100, 16, 513, {2, 3, 16, 1}},
    {5, 3, 5, 1, {8, 1, 16, 1}},         {0, 40, 256, 70, {8, 4, 16, 2}},
};

class TimeInLanesOnDevice : public testing::TestWithParam<size_t> {
  protected:
    static tune::Device &device() { return tune::device_for("cuda"); }

    static Kernel kernel(Averages &a, const TimePlan &plan) {
        TimeInLanes scan(a.r, plan, a.x.dim(0).extent(), a.x.dim(1).extent());
        for (Halide::ImageParam p : {a.x, a.state})
            for (int i = 0; i < 2; i++) p.dim(i).set_min(0);
        a.consume(scan.read);
        for (int i = 0; i < 2; i++) a.y.output_buffer().dim(i).set_min(0);
        scan.schedule(a.y);
        Kernel made = a.kernel(nullptr);
        for (auto &pass : scan.passes(a.y)) made.passes.push_back(pass);
        return made;
    }

    // Rows of f32 in memory of the device, between guards.
    struct Operand {
        Halide::Runtime::Buffer<float> &on_host;
        KernelDim dims[2];
        KernelBuffer buffer;
        std::unique_ptr<tune::Memory> memory;
        explicit Operand(Halide::Runtime::Buffer<float> &b)
            : on_host(b),
              dims{{0, b.dim(0).extent(), 1, 0}, {0, b.dim(1).extent(), b.dim(0).extent(), 0}},
              buffer{0, nullptr, nullptr, 0, {kernel_float, 32, 1}, 2, dims, nullptr},
              memory(device().memory(b.size_in_bytes(), true)) {
            memory->write(0, b.data(), b.size_in_bytes());
            memory->place(buffer, 0);
        }
        Operand(const Operand &) = delete;
        void read() { memory->read(0, on_host.data(), on_host.size_in_bytes()); }
    };
};

TEST_P(TimeInLanesOnDevice, AveragesInDoublePrecision) {
    const Case &c = cases[GetParam()];
    SCOPED_TRACE(testing::Message() << c.states << " states, D " << c.D << ", N " << c.N << ", T " << c.T);
    auto ptxas = ptx::Ptxas::find();
    if (!ptxas) GTEST_SKIP() << "there is no ptxas on this machine";
    ptx::ScratchFolder folder;
    std::string object = folder.path("k.o"), library = folder.path("k.so");
    Averages a(c.states, false);
    Kernel made = kernel(a, c.plan);
    ptx::compile_cuda(made, tune::artefact_symbol, *ptxas, ptx::build_for(made.device, *ptxas), object);
    auto linked = ptx::run_program({KS_CXX, "-shared", "-o", library, object});
    ASSERT_EQ(linked.status, 0) << linked.output;
    if (!device().runs("cuda")) GTEST_SKIP() << "there is no GPU on this machine";

    AveragesCall call(c.D, c.N, c.T, false);
    call.y.fill(std::nanf(""));
    Operand x(call.x), h(call.h), y(call.y);
    void *arguments[] = {&x.buffer, &h.buffer, &call.count, &y.buffer};
    auto loaded = device().load(library);
    loaded->run(arguments);
    device().wait();
    for (const Operand *o : {&x, &h, &y}) EXPECT_EQ(o->memory->damage(), "");
    h.read();
    y.read();
    call.expect_exact();
}

INSTANTIATE_TEST_SUITE_P(Cases, TimeInLanesOnDevice, testing::Range<size_t>(0, cases.size()));

} // namespace
} // namespace ks::test
