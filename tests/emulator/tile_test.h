// SPDX-License-Identifier: Apache-2.0
// Kernels on tensor cores in the emulated driver. A pack has them as machine code alone, so each is compiled
// here, with its text in place of that.
#pragma once
#include "autotune/candidate.h"
#include "autotune/cases/call.h"
#include "dsl/ptx/cuda_kernel.h"
#include "dsl/ptx/program.h"
#include "runtime/base/error.h"
#include "runtime/kernels/cuda/memory.h"
#include "schedules/registry.h"
#include "tests/support/forwarded_device.h"
#include "tests/support/op_check.h"

namespace ks::test {

// Operands without memory around them: the driver sees every access beside them.
struct ExactMemory : tune::Memory {
    explicit ExactMemory(size_t bytes) : memory(cuda::device(0), bytes) {}
    void write(size_t offset, const void *from, size_t bytes) override {
        memory.copy_from(from, bytes, offset);
    }
    void read(size_t offset, void *to, size_t bytes) const override { memory.copy_to(to, bytes, offset); }
    void place(KernelBuffer &buffer, size_t offset) const override {
        buffer.device = memory.address() + offset;
    }
    std::string damage() const override { return ""; }
    cuda::DeviceMemory memory;
};

struct ExactDevice : ForwardedDevice {
    ExactDevice() : ForwardedDevice(tune::device_for("cuda")) {}
    std::unique_ptr<tune::Memory> memory(size_t bytes, bool) override {
        return std::make_unique<ExactMemory>(bytes);
    }
};

struct Tile {
    std::string op, choices, widths;
    std::vector<int64_t> rows;
    std::string knobs;      // those that differ from the default
    std::string known = {}; // what the kernel knows, "K=8,P=8": multiples of that; empty: the widths
};

// Parameters of a test, and their names.
inline std::vector<const Tile *> each(const std::vector<Tile> &list) {
    std::vector<const Tile *> all;
    for (const Tile &t : list) all.push_back(&t);
    return all;
}

inline std::string name(const testing::TestParamInfo<const Tile *> &i) {
    return i.param->op + "_" + std::to_string(i.index);
}

class TileTest : public testing::Test {
  protected:
    void SetUp() override {
        ptxas_ = ptx::Ptxas::find();
        if (!ptxas_) GTEST_SKIP() << "there is no ptxas on this machine";
        if (!device_.runs("cuda")) GTEST_SKIP() << "there is no driver on this machine";
    }

    static Spec spec_of(const Tile &t) {
        const Knobs choices = tune::parse_knobs(t.choices);
        if (!t.known.empty()) return {choices.values(), {}, tune::parse_dims(t.known)};
        return {choices.values(), tune::parse_dims(t.widths)};
    }

    // `edit`: of the instructions of each pseudo-call.
    using Edit = std::function<std::string(const std::string &)>;
    std::unique_ptr<tune::Artefact> built(const Tile &t, const Edit &edit = {}) {
        const Space space = op_named(t.op).space(spec_of(t), kernel_target("cuda"));
        Knobs changed = tune::parse_knobs(t.knobs);
        changed.set("form", "tiles");
        Knobs knobs = space.with(changed);
        if (!space.legal(knobs)) throw Error(knobs.text(), "is no point of the space");
        return built(t, knobs, edit);
    }
    std::unique_ptr<tune::Artefact> built(const Tile &t, const Knobs &knobs, const Edit &edit = {}) {
        Kernel kernel = op_named(t.op).build(spec_of(t), knobs, kernel_target("cuda"));
        for (auto &[name, expansion] : kernel.device.expansions)
            if (edit) expansion = [=, whole = expansion](const ptx::PseudoCall &c) { return edit(whole(c)); };
        return built(kernel);
    }
    std::unique_ptr<tune::Artefact> built(const Kernel &kernel) {
        const std::string file = folder_.path("tile" + std::to_string(built_++)); // loaded once by its name
        ptx::compile_cuda(kernel, tune::artefact_symbol, *ptxas_, {{}, true}, file + ".o");
        auto linked = ptx::run_program({KS_CXX, "-shared", "-o", file + ".so", file + ".o"});
        if (linked.status) throw Error(file, linked.output);
        return device_.load(file + ".so");
    }

    static OpProblem problem(const Tile &t, int64_t rows) {
        const Contract &contract = op_named(t.op).contract;
        const Spec widths = {spec_of(t).choices, tune::parse_dims(t.widths)};
        const Dims dims = cases::call_dims(contract, widths, {{contract.dims.at(0).name, rows}});
        return random_problem(t.op, spec_of(t).choices, dims);
    }

    void matches_oracle(const tune::Artefact &kernel, const OpProblem &p) {
        cases::Call call(p, device_);
        EXPECT_NO_THROW(kernel.run(call.arguments())) << p.text();
        EXPECT_EQ(call.damage(), "") << p.text();
        Results got, wanted = expected(p);
        for (const auto &[name, values] : wanted) got[name] = call.result(name);
        expect_within_contract(p, got, wanted);
    }

    std::optional<ptx::Ptxas> ptxas_;
    ptx::ScratchFolder folder_;
    int built_ = 0;
    ExactDevice device_;
};

} // namespace ks::test
