// SPDX-License-Identifier: Apache-2.0
// The code of routing, known without a GPU: how many launches an op is, what it votes with, and that no
// memory of a device is asked for.
#include "dsl/ptx/cuda_kernel.h"
#include "schedules/registry.h"
#include "tests/support/device_text.h"
#include <gtest/gtest.h>

namespace ks {
namespace {

const Halide::Target target = kernel_target("cuda");

int count(const std::string &text, const std::string &what) {
    int n = 0;
    for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size()) n++;
    return n;
}

struct Built {
    std::string ptx;
    int launches = 0, other_calls = 0; // of the host's code: kernels, and calls for device memory
};

Built built(const std::string &name, const Spec &spec, const std::map<std::string, std::string> &knobs) {
    const Op &op = op_named(name);
    Knobs k = op.space(spec, target).fallback();
    for (const auto &[knob, value] : knobs) k.set(knob, value);
    EXPECT_TRUE(op.space(spec, target).legal(k)) << k.text();
    Kernel kernel = op.build(spec, k, target);
    Halide::Module module = lower_to_module(kernel, "kernel", target);
    struct Calls : Halide::Internal::IRVisitor {
        using IRVisitor::visit;
        Built made;
        void visit(const Halide::Internal::Call *call) override {
            made.launches += call->name == "halide_cuda_run";
            made.other_calls += call->name == "halide_device_malloc" || call->name == "halide_malloc";
            IRVisitor::visit(call);
        }
        void visit(const Halide::Internal::Allocate *op) override {
            made.other_calls += op->memory_type == Halide::MemoryType::Heap;
            IRVisitor::visit(op);
        }
    } calls;
    for (const auto &f : module.functions()) f.body.accept(&calls);
    calls.made.ptx = ptx::device_text(kernel, "kernel", ptx::ptx_of(module));
    return calls.made;
}

Spec routed(const std::string &score, int experts) {
    Spec spec{{{"score", score}}, {}};
    if (experts) spec.fixed["E"] = experts;
    return spec;
}

// The host picks: two launches for many tokens, one for few. What is not picked has an empty grid.
TEST(CudaRouter, TwoLaunchesOrOne) {
    for (const char *score : {"sigmoid", "softmax"}) {
        EXPECT_EQ(built("router", routed(score, 0), {}).launches, 3);
        EXPECT_EQ(built("router", routed(score, 8), {{"one_block", "0"}}).launches, 2);
    }
}

TEST(CudaRouter, VotesOncePerStepAndTwiceWhenItCounts) {
    Built b = built("router", routed("sigmoid", 8), {{"one_block", "0"}, {"batch", "4"}});
    EXPECT_EQ(count(b.ptx, "vote.sync.ballot"), 4 * 3);
    EXPECT_EQ(count(b.ptx, "redux.sync.add"), 3);
    EXPECT_EQ(count(b.ptx, "atom."), 0); // the order of tokens would be anybody's guess
}

TEST(CudaRouter, RoutingTakesNoMemoryOfItsOwn) {
    for (const Op &op : all_ops()) {
        const std::string &name = op.contract.name;
        if (name != "router" && name != "expert_tiles" && name.rfind("sinkhorn", 0) != 0) continue;
        for (const Spec &spec : base_specs(op, target)) {
            Built b = built(name, spec, {});
            EXPECT_EQ(b.other_calls, 0) << name;
            EXPECT_EQ(count(b.ptx, ".local"), 0) << name;
        }
    }
}

TEST(CudaSinkhorn, Launches) {
    for (const char *space : {"linear", "log"}) {
        Spec spec{{{"space", space}}, {}};
        EXPECT_EQ(built("sinkhorn_start", spec, {}).launches, 1);
        EXPECT_EQ(built("sinkhorn_pass", spec, {}).launches, 3);
        EXPECT_EQ(built("sinkhorn_plan", spec, {}).launches, 2);
    }
}

TEST(CudaExpertTiles, OneLaunchWritesBoth) { EXPECT_EQ(built("expert_tiles", {}, {}).launches, 1); }

// Every point of the spaces compiles, also where widths are the smallest and the largest.
TEST(CudaRouter, EveryPointCompiles) {
    auto ptxas = ptx::Ptxas::find();
    if (!ptxas) GTEST_SKIP() << "there is no ptxas on this machine";
    const Op &op = op_named("router");
    std::map<std::string, std::string> choices = {{"score", "softmax"}};
    for (int experts : {1, 256}) {
        Spec spec = routed("softmax", experts);
        Space space = op.space(spec, target);
        Knobs fallback = space.fallback();
        std::vector<Knobs> points = space.neighbours(fallback);
        points.push_back(fallback);
        for (const Knobs &k : points) {
            SCOPED_TRACE(spec.text() + " " + k.text());
            std::string ptx = test::device_text(op.build(spec, k, target));
            for (const auto &r : ptxas->assemble(ptx, {"sm_90", 0}).kernels) {
                EXPECT_EQ(r.stack + r.spill_stores, 0);
                EXPECT_LE(r.registers, 64); // 1024 threads a block
            }
        }
    }
}

} // namespace
} // namespace ks
