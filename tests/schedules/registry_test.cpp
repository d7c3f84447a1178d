// SPDX-License-Identifier: Apache-2.0
// What holds for every op: a legal default, a complete contract, and kernels that can be built twice in one
// process (the second time Halide renames every Func).
#include "runtime/base/error.h"
#include "schedules/registry.h"
#include <gtest/gtest.h>
#include <set>

namespace ks {
namespace {

TEST(Registry, EveryOpBuildsTwice) {
    for (const Op &op : all_ops())
        for (const char *isa : {"avx2", "avx512", "cuda"}) {
            SCOPED_TRACE(op.contract.name + " " + isa);
            Halide::Target target = kernel_target(isa);
            if (!op.has_schedule(target)) continue; // some are for GPUs alone
            Spec spec = base_specs(op, target).at(0);
            Knobs knobs = op.space(spec, target).fallback();
            for (int i = 0; i < 2; i++)
                EXPECT_NO_THROW(lower_to_module(op.build(spec, knobs, target), "twice", target));
        }
}

TEST(Registry, DefaultsAreLegal) {
    for (const Op &op : all_ops())
        for (const char *isa : {"avx2", "avx512", "cuda"}) {
            Halide::Target target = kernel_target(isa);
            for (const Spec &spec : base_specs(op, target)) {
                Space space = op.space(spec, target);
                EXPECT_TRUE(space.legal(space.fallback())) << op.contract.name << " " << spec.text();
            }
        }
}

// What is for some rows or devices alone has another behind it that serves the rest.
TEST(Registry, UsualKernelsArePointsAndTheLastServesEveryCall) {
    const Halide::Target target = kernel_target("cuda");
    size_t kernels = 0;
    for (const Op &op : all_ops())
        for (const Spec &base : base_specs(op, target)) {
            const std::vector<UsualKernel> usual = usual_kernels(op, base, target);
            for (const UsualKernel &u : usual) {
                SCOPED_TRACE(op.contract.name + " " + u.spec.text() + " {" + u.knobs.text() + "}");
                EXPECT_TRUE(op.space(u.spec, target).legal(u.knobs));
                EXPECT_EQ(u.spec.choices, base.choices);
                EXPECT_FALSE(u.spec.is_base());
                for (const auto &[name, most] : u.most) EXPECT_LT(most, op.contract.dim(name).high) << name;
            }
            kernels += usual.size();
            if (usual.empty()) continue;
            const UsualKernel &last = usual.back();
            EXPECT_TRUE(last.most.empty()) << op.contract.name;
            EXPECT_EQ(last.knobs, op.space(last.spec, target).fallback()) << op.contract.name;
            EXPECT_EQ(op.build(last.spec, last.knobs, target).device.arch, "") << op.contract.name;
        }
    EXPECT_GT(kernels, 20u);
}

TEST(Registry, ContractsAreComplete) {
    std::set<std::string> names;
    for (const Op &op : all_ops()) {
        const Contract &c = op.contract;
        SCOPED_TRACE(c.name);
        EXPECT_TRUE(names.insert(c.name).second);
        EXPECT_FALSE(c.summary.empty());
        EXPECT_FALSE(c.non_finite.empty());
        EXPECT_FALSE(c.tolerance.empty());
        for (const Operand &o : c.operands) {
            EXPECT_FALSE(o.help.empty()) << o.name;
            for (const auto &entry : o.shape) {
                std::string dim = shape_term(entry).name;
                if (c.choices.count(dim)) continue;
                EXPECT_NO_THROW(c.dim(dim)) << o.name;
            }
            if (o.role == Role::optional) {
                EXPECT_NE(o.flag, 0) << o.name;
                EXPECT_NO_THROW(c.operand(o.stand_in)) << o.name;
            }
        }
        if (c.slice.empty()) continue;
        EXPECT_NO_THROW(c.dim(c.slice));
    }
}

TEST(Registry, IllegalSpecsAreRefused) {
    const Op &scan = op_named("selective_scan");
    EXPECT_THROW(op_named("no_such_op"), Error);
    EXPECT_THROW(check(scan.contract, {{}, {}}), Error);                          // the storage is missing
    EXPECT_THROW(check(scan.contract, {{{"io", "f64"}}, {}}), Error);             // unknown storage
    EXPECT_THROW(check(scan.contract, {{{"io", "f32"}, {"x", "1"}}, {}}), Error); // unknown choice
    EXPECT_THROW(check(scan.contract, {{{"io", "f32"}}, {{"N", 257}}}), Error);   // beyond the domain
    EXPECT_THROW(check(scan.contract, {{{"io", "f32"}}, {{"T", 8}}}), Error);     // varies per call
}

} // namespace
} // namespace ks
