// SPDX-License-Identifier: Apache-2.0
// Tiles on tensor cores with a mistake, each of which leaves the right results to luck on a GPU: the emulated
// driver must find it.
#include "tests/emulator/tile_test.h"
#include <gmock/gmock.h>

namespace ks::test {
namespace {

using testing::HasSubstr;

struct Mistake {
    const char *right, *wrong, *found;
};

class TileMistakes : public TileTest {
  protected:
    std::string fault_of(const Tile &t, const std::string &right, const std::string &wrong) {
        int changed = 0;
        auto kernel = built(t, [&](std::string text) {
            for (size_t at = 0; (at = text.find(right, at)) != std::string::npos;
                 at += wrong.size(), changed++)
                text.replace(at, right.size(), wrong);
            return text;
        });
        EXPECT_GT(changed, 0) << right;
        cases::Call call(problem(t, t.rows[0]), device_);
        try {
            kernel->run(call.arguments());
        } catch (const Error &e) {
            return e.what();
        }
        return "no fault";
    }
    void finds(const Tile &t, const std::vector<Mistake> &mistakes) {
        for (const Mistake &m : mistakes)
            EXPECT_THAT(fault_of(t, m.right, m.wrong), HasSubstr(m.found)) << m.right;
    }
};

constexpr const char *bf16 = "io=bf16,weight=bf16,out=bf16,panel=1";

TEST_F(TileMistakes, OfProductsInFlight) {
    finds({"linear", bf16, "K=264,P=72", {70}, "warpgroups=1,columns=64,stages=2"},
          {{"wgmma.wait_group.sync.aligned 0;", "", "a register that a product in flight writes"},
           {"wgmma.wait_group.sync.aligned 1;", "wgmma.wait_group.sync.aligned 2;", "a product of warp"},
           {"wgmma.commit_group.sync.aligned;", "", "a product of warp"},
           {"wgmma.fence.sync.aligned;", "", "no wgmma.fence"},
           {"mov.u32 %upper, 1073741888;", "mov.u32 %upper, 64;", "without the swizzle"}});
}

TEST_F(TileMistakes, OfTheRing) {
    finds({"linear", bf16, "K=264,P=72", {70}, "warpgroups=1,columns=64,stages=2"},
          {{"@!%over bra WAIT;", "", "a copy of the mbarrier"},
           {"@%speaker mbarrier.arrive.shared::cta.b64 %token, [%barrier+512];", "",
            "waits for what nobody will do"},
           {"%token, [%full], ", "%token, [%full], 1", "waits for what nobody will do"},
           {"fence.proxy.async.shared::cta;\n\tREADY", "READY", "no fault"}}); // the other fence is enough
}

TEST_F(TileMistakes, OfStagedStores) {
    finds({"linear", bf16, "K=64,P=136", {70}, "warpgroups=1,columns=256,stages=2"},
          {{"fence.proxy.async.shared::cta;", "", "no fence.proxy.async behind what thread"},
           {"cp.async.bulk.wait_group.read 1;", "cp.async.bulk.wait_group.read 2;",
            "a bulk store of warp 0 read"},
           {"cp.async.bulk.wait_group 0;", "", "ends while a bulk store"},
           {"cp.async.bulk.commit_group;", "", "a bulk store of warp 0 read"},
           {"bar.sync %ks_group_barrier, 128;", "", "a race"},
           {"bar.sync %ks_group_barrier, 128;", "bar.sync %ks_group_barrier, 160;",
            "waits for what nobody will do"}});
}

TEST_F(TileMistakes, OfGatheredRows) {
    finds({"grouped_expert_up",
           "io=bf16,weight=bf16,halves=1,act=silu",
           "B=64,E=2,K=136,F=64",
           {70},
           "warpgroups=1,columns=64,stages=2,store=direct"},
          {{"fence.proxy.async.shared::cta;", "", "no fence.proxy.async behind what thread"},
           {"cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%full];",
            "mbarrier.arrive.shared::cta.b64 %token, [%full];", "a copy is under way"}});
}

TEST_F(TileMistakes, OfClusters) {
    finds({"linear", bf16, "K=264,P=120", {64}, "warpgroups=1,columns=64,splits=4,store=direct,row_group=1"},
          {{"barrier.cluster.wait.acquire;", "", "a store to a block that may not have begun"},
           {"barrier.cluster.arrive.release.aligned;", "", "waits before it arrives"},
           {"mapa.shared::cluster.u32 %arrival, %exchanged, ", "add.u32 %arrival, %exchanged, 0;//",
            "the mbarrier is in another block"},
           {"@!%over bra WAIT;\n\t{", "{", "a copy of the mbarrier"}});
}

TEST_F(TileMistakes, OfCopiesOfThreads) {
    finds({"linear",
           bf16,
           "K=264,P=72",
           {70},
           "unit=mma,producer=warp,warpgroups=1,columns=64,store=direct,stages=3"},
          {{"cp.async.wait_group 1;", "cp.async.wait_group 2;", "a copy is under way"},
           {"cp.async.wait_group 1;\n\tbar.sync 0;", "cp.async.wait_group 1;", "a race"}});
}

} // namespace
} // namespace ks::test
