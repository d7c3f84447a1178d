// SPDX-License-Identifier: Apache-2.0
// The assembler itself, where there is one; and programs that only pretend to be it.
#include "dsl/ptx/program.h"
#include "dsl/ptx/ptxas.h"
#include "runtime/base/error.h"
#include <cstdlib>
#include <fstream>
#include <gmock/gmock.h>
#include <sys/stat.h>

namespace ks::ptx {
namespace {

using testing::HasSubstr;

const std::string doubling = R"(.version 7.1
.target sm_80
.address_size 64
.visible .entry doubling(.param .u64 p) {
	.reg .b64 %rd<2>; .reg .f32 %f<3>;
	ld.param.u64 %rd1, [p];
	ld.global.f32 %f1, [%rd1];
	add.f32 %f2, %f1, %f1;
	st.global.f32 [%rd1], %f2;
	ret;
}
)";

std::string why(const std::function<void()> &run) {
    try {
        run();
    } catch (const Error &e) {
        return e.what();
    }
    return "no error";
}

class PtxasTest : public testing::Test {
  protected:
    void SetUp() override {
        ptxas_ = Ptxas::find();
        if (!ptxas_) GTEST_SKIP() << "there is no ptxas on this machine";
    }
    std::optional<Ptxas> ptxas_;
};

TEST_F(PtxasTest, MakesCubinsForEveryArchitectureItKnows) {
    EXPECT_FALSE(ptxas_->version().empty());
    int made = 0;
    for (const char *arch : {"sm_80", "sm_90", "sm_90a", "sm_100"}) {
        if (!ptxas_->knows(arch)) continue;
        Cubin cubin = ptxas_->assemble(doubling, {arch});
        ASSERT_EQ(cubin.kernels.size(), 1u);
        EXPECT_EQ(cubin.kernels[0].kernel, "doubling");
        EXPECT_GT(cubin.kernels[0].registers, 0);
        EXPECT_EQ(cubin.kernels[0].spill_stores, 0);
        ASSERT_GT(cubin.code.size(), 4u);
        EXPECT_EQ(std::string(cubin.code.begin() + 1, cubin.code.begin() + 4), "ELF");
        made++;
    }
    EXPECT_GT(made, 0);
}

TEST_F(PtxasTest, RefusedTextIsNamedByItsLine) {
    std::string wrong = doubling;
    wrong.replace(wrong.find("%f1, %f1;"), 9, "%f1, %q;");
    std::string said = why([&] { ptxas_->assemble(wrong, {"sm_90"}); });
    EXPECT_THAT(said, HasSubstr("line 8"));
    EXPECT_THAT(said, HasSubstr("add.f32 %f2, %f1, %q;"));
    EXPECT_EQ(said.find('\n'), std::string::npos);
    EXPECT_THAT(why([&] { ptxas_->assemble(doubling, {"sm_12"}); }), HasSubstr("does not know sm_12"));
    EXPECT_FALSE(ptxas_->knows("sm_9"));
}

// All sums wait for the last of forty loads: 24 registers cannot hold the others meanwhile.
TEST_F(PtxasTest, TheRegisterLimitIsKeptAtThePriceOfSpills) {
    std::string ptx = ".version 7.1\n.target sm_80\n.address_size 64\n.visible .entry many(.param .u64 p) {\n"
                      "\t.reg .b64 %rd<2>; .reg .f32 %f<41>; .reg .f32 %s<41>;\n\tld.param.u64 %rd1, [p];\n";
    for (int i = 0; i < 40; i++)
        ptx +=
            "\tld.volatile.global.f32 %f" + std::to_string(i) + ", [%rd1+" + std::to_string(4 * i) + "];\n";
    for (int i = 0; i < 40; i++) {
        std::string n = std::to_string(i);
        ptx += "\tadd.f32 %s" + n + ", %f" + n + ", %f39;\n";
        ptx += "\tst.volatile.global.f32 [%rd1+" + std::to_string(4 * i) + "], %s" + n + ";\n";
    }
    ptx += "\tret;\n}\n";
    Resources free = ptxas_->assemble(ptx, {"sm_90"}).kernels.at(0);
    Resources tight = ptxas_->assemble(ptx, {"sm_90", 24}).kernels.at(0);
    EXPECT_GT(free.registers, 40);
    EXPECT_EQ(free.spill_stores, 0);
    EXPECT_LE(tight.registers, 24);
    EXPECT_GT(tight.spill_stores, 0);
    EXPECT_GT(tight.stack, 0);
}

TEST(Ptxas, OtherProgramsAreRefused) {
    EXPECT_THAT(why([] { Ptxas("/nowhere/ptxas"); }), HasSubstr("/nowhere/ptxas"));
    EXPECT_THAT(why([] { Ptxas("true"); }), HasSubstr("is no ptxas"));
    ASSERT_EQ(setenv("KS_PTXAS", "/nowhere/ptxas", 1), 0);
    EXPECT_THAT(why([] { Ptxas::find(); }), HasSubstr("/nowhere/ptxas"));
    unsetenv("KS_PTXAS");
}

// Says the right things about itself and then writes nothing, or dies.
TEST(Ptxas, ANewWayToFailIsAnErrorToo) {
    ScratchFolder folder;
    for (const char *end : {"exit 0", "kill -SEGV $$"}) {
        std::string program = folder.path("ptxas");
        std::ofstream(program) << "#!/bin/sh\ncase $1 in\n--version) echo 'release 13.0, V13.0.88' ;;\n"
                               << "--help) echo \"'sm_90'\" ;;\n*) " << end << " ;;\nesac\n";
        chmod(program.c_str(), 0755);
        Ptxas fake(program);
        EXPECT_EQ(fake.version(), "13.0.88");
        EXPECT_THROW(fake.assemble(doubling, {"sm_90"}), Error) << end;
    }
}

TEST(Program, OutputStatusAndSignal) {
    Finished said = run_program({"sh", "-c", "echo out; echo err >&2; exit 3"});
    EXPECT_EQ(said.status, 3);
    EXPECT_EQ(said.output, "out\nerr\n");
    EXPECT_EQ(run_program({"sh", "-c", "kill -9 $$"}).status, 128 + 9);
    EXPECT_EQ(run_program({"/nowhere/at/all"}).status, 127);
    EXPECT_EQ(run_program({"printf", "%s|", "a b", "$HOME"}).output, "a b|$HOME|"); // no shell in between
}

} // namespace
} // namespace ks::ptx
