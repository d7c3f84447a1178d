// SPDX-License-Identifier: Apache-2.0
// Blocks of a cluster that split K: what their text does, followed rank by rank, and which schedules may not.
#include "dsl/ptx/ptxas.h"
#include "dsl/tile/cuda/cluster.h"
#include "dsl/tile/cuda/fragment.h"
#include "dsl/tile/cuda/shared_layout.h"
#include "dsl/tile/cuda/wgmma.h"
#include "examples.h"
#include "refusal.h"
#include <gmock/gmock.h>
#include <regex>

namespace ks::tile {
namespace {

using testing::HasSubstr;
using testing::Not;

int count(const std::string &text, const std::string &what) {
    int n = 0;
    for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at++) n++;
    return n;
}

TileOp split(int splits, int columns, int warpgroups = 1) {
    TileOp op;
    op.splits = splits;
    op.columns = columns;
    op.warpgroups = warpgroups;
    op.staged_store = false;
    op.producer_threads = 32;
    op.producer_registers = op.consumer_registers = 0;
    op.order = {1, 0};
    return op;
}

struct Case {
    Shape shape;
    TileOp op;
};

std::vector<Case> cases() {
    TileOp staged = split(2, 128), gated = split(4, 64), tall = split(2, 64, 2);
    staged.staged_store = true;
    gated.products = 2;
    tall.slabs = 2;
    TileOp in_groups = split(8, 64), below_each_other = split(2, 32);
    in_groups.order.group = 8;
    below_each_other.order.group = 0;
    return {{{64, 1472, 2944}, split(8, 64)},
            {{64, 124, 2944}, split(8, 64)},            // shares outside of the output, and half outside
            {{200, 104, 2304, 0, true}, split(4, 128)}, // a row tile of which rows are missing
            {{64, 4608, 1152}, staged},
            {{64, 320, 520}, gated},
            {{500, 200, 136}, tall},
            {{1000, 200, 1152, 0, true}, in_groups},
            {{1000, 200, 1152}, below_each_other}};
}

class SplitText : public testing::TestWithParam<size_t> {
  protected:
    Case c = cases().at(GetParam());
    std::string text = Example(c.shape, c.op).text();
    TileOp op = Example(c.shape, c.op).op;
};

TEST_P(SplitText, AClusterBeginsBeforeItIsWrittenTo) {
    EXPECT_THAT(text, HasSubstr(".version 8.1\n"));
    EXPECT_THAT(text,
                HasSubstr("\n.explicitcluster\n.reqnctapercluster " + std::to_string(op.splits) + ", 1, 1"));
    size_t expected = text.find("mbarrier.arrive.expect_tx.shared::cta.b64 %token, [%ks_base+1016], " +
                                std::to_string((op.splits - 1) * op.results() * 4 * op.consumers()) + ";"),
           arrive = text.find("barrier.cluster.arrive.release"),
           wait = text.find("barrier.cluster.wait.acquire"), send = text.find("st.async");
    ASSERT_NE(expected, std::string::npos);
    EXPECT_LT(expected, arrive);
    EXPECT_LT(arrive, wait);
    EXPECT_LT(wait, send);
    EXPECT_EQ(count(text, "barrier.cluster.arrive"), 1);
    EXPECT_EQ(count(text, "barrier.cluster.wait"), 2); // by consumers, and by producers at their end
    EXPECT_EQ(count(text, "mbarrier.init.shared::cta.b64"), 2 * op.stages + 1);
}

// Accumulators of every rank carry the name of the rank and of the element of the cluster's tile that they
// are.
using Sums = std::map<int, std::set<std::pair<int, int>>>; // accumulator -> (rank, number in the whole tile)

struct Sent {
    std::map<std::pair<int, int>, int> at; // (owner, byte) -> accumulator
    std::map<int, int> own;                // accumulator -> the one that it takes its value from
};

Sent sent_by(int rank, const std::string &text, int splits) {
    std::string head = "setp.ne.u32 %other, %ks_rank, " + std::to_string(rank) + ";", end = "bra SENT;";
    size_t from = text.find(head), to = text.find(end, from);
    std::istringstream lines(text.substr(from, to - from));
    std::regex owner("mapa\\.shared::cluster\\.u32 (%there, %mine|%arrival, %exchanged), (\\d+);"),
        store("st\\.async\\.\\S+\\.v4\\.f32 \\[%there\\+(\\d+)\\], \\{(.*)\\}, \\[%arrival\\];"),
        move("mov\\.f32 %ks_acc(\\d+), %ks_acc(\\d+);"), number("%ks_acc(\\d+)");
    Sent sent;
    int to_data = -1, to_barrier = -2;
    std::smatch found;
    for (std::string line; std::getline(lines, line);) {
        if (std::regex_search(line, found, owner)) {
            (found.str(1)[1] == 't' ? to_data : to_barrier) = std::stoi(found[2]);
        } else if (std::regex_search(line, found, store)) {
            EXPECT_EQ(to_data, to_barrier) << line;
            EXPECT_TRUE(to_data >= 0 && to_data < splits && to_data != rank) << line;
            std::string list = found[2];
            int byte = std::stoi(found[1]);
            for (std::sregex_iterator i(list.begin(), list.end(), number), none; i != none; ++i, byte += 4)
                EXPECT_TRUE(sent.at.emplace(std::pair{to_data, byte}, std::stoi((*i)[1])).second) << line;
        } else if (std::regex_search(line, found, move)) {
            int target = std::stoi(found[1]), source = std::stoi(found[2]);
            for (const auto &[moved, by] : sent.own)
                EXPECT_NE(moved, source) << "overwritten before it is read";
            sent.own[target] = source;
        }
    }
    return sent;
}

// (byte behind %mine, accumulator that it is added to), in the order of the text.
std::vector<std::pair<int, int>> received(const std::string &text) {
    std::vector<std::pair<int, int>> all;
    std::regex load("ld\\.shared\\.v4\\.f32 \\{%sum0, %sum1, %sum2, %sum3\\}, \\[%mine\\+(\\d+)\\];"),
        add("add\\.f32 %ks_acc(\\d+), %ks_acc(\\d+), %sum(\\d);");
    std::istringstream lines(text.substr(text.find("mbarrier.try_wait.parity.acquire.cluster")));
    int byte = -1;
    std::smatch found;
    for (std::string line; std::getline(lines, line);) {
        if (std::regex_search(line, found, load)) {
            byte = std::stoi(found[1]);
        } else if (std::regex_search(line, found, add)) {
            EXPECT_EQ(found[1], found[2]);
            all.emplace_back(byte + 4 * std::stoi(found[3]), std::stoi(found[1]));
        }
    }
    return all;
}

// The accumulator of the cluster's tile, and of the share of a rank, for every element of a thread.
std::map<int, int> numbers_of_share(const TileOp &op, int rank) {
    TileOp whole = op;
    whole.splits = 1;
    std::map<int, int> all;
    for (int product = 0; product < op.products; product++)
        for (int slab = 0; slab < op.slabs; slab++)
            for (int half : {0, 8})
                for (int column = 0; column < op.result_columns(); column++) {
                    int row = slab * slab_rows + half;
                    auto to = accumulator_at(op, product, {row, column});
                    if (!to) continue;
                    all[*to] = *accumulator_at(whole, product, {row, rank * op.result_columns() + column});
                }
    return all;
}

TEST_P(SplitText, EverySumReachesTheBlockThatStoresItOnce) {
    std::vector<Sent> from;
    for (int rank = 0; rank < op.splits; rank++) from.push_back(sent_by(rank, text, op.splits));
    auto adds = received(text);
    ASSERT_EQ(static_cast<int>(adds.size()), (op.splits - 1) * op.results());
    for (int owner = 0; owner < op.splits; owner++) {
        std::map<std::pair<int, int>, std::pair<int, int>> memory; // (owner, byte) -> rank, accumulator
        for (int rank = 0; rank < op.splits; rank++)
            for (const auto &[place, accumulator] : from[static_cast<size_t>(rank)].at) {
                if (place.first != owner) continue;
                ASSERT_TRUE(memory.emplace(place, std::pair{rank, accumulator}).second) << "written twice";
            }
        std::map<int, int> due = numbers_of_share(op, owner);
        ASSERT_EQ(static_cast<int>(due.size()), op.results());
        std::map<int, std::vector<int>> ranks; // whose sums an accumulator has got, in order
        for (const auto &[to, whole] : due) {
            const auto &own = from[static_cast<size_t>(owner)].own;
            auto moved = own.find(to);
            EXPECT_EQ(moved == own.end() ? to : moved->second, whole) << "own of " << owner;
            ranks[to] = {owner};
        }
        for (const auto &[byte, to] : adds) {
            auto in = memory.find({owner, byte});
            ASSERT_NE(in, memory.end()) << "nothing is sent to byte " << byte << " of " << owner;
            EXPECT_EQ(in->second.second, due.at(to)) << "from " << in->second.first << " to " << owner;
            ranks[to].push_back(in->second.first);
        }
        for (const auto &[to, order] : ranks) {
            ASSERT_EQ(static_cast<int>(order.size()), op.splits);
            for (int i = 0; i < op.splits; i++)
                EXPECT_EQ(order[static_cast<size_t>(i)], (owner + i) % op.splits);
        }
    }
}

// No two threads, slots or sums of a thread share a byte: 16 bytes of each thread side by side.
TEST_P(SplitText, SumsOnTheirWayLieSideBySide) {
    SharedLayout at(op);
    EXPECT_THAT(text, HasSubstr("mad.lo.u32 %mine, %mine, 16, %ks_base;"));
    EXPECT_THAT(text, HasSubstr("add.u32 %mine, %mine, " + std::to_string(at.exchange) + ";"));
    std::set<int> begins;
    for (const auto &[byte, to] : received(text)) begins.insert(byte / 16 * 16);
    int each = 16 * op.consumers(), expected = 0;
    for (int byte : begins) EXPECT_EQ(byte, each * expected++);
    EXPECT_EQ(expected * each, at.halide - at.exchange);
}

TEST_P(SplitText, PtxasTakesItWithoutLocalMemory) {
    auto ptxas = ptx::Ptxas::find();
    if (!ptxas || !ptxas->knows(wgmma::arch))
        GTEST_SKIP() << "no ptxas on this machine knows " << wgmma::arch;
    ptx::Resources used = ptxas->assemble(text, {wgmma::arch}).kernels.at(0);
    EXPECT_EQ(used.stack + used.spill_stores + used.spill_loads, 0);
    EXPECT_LE(used.registers * op.threads(), registers_of_multiprocessor);
}

INSTANTIATE_TEST_SUITE_P(Cases, SplitText, testing::Range<size_t>(0, cases().size()));

// Steps are handed out as the text computes them.
TEST(Split, EveryStepIsThatOfOneRank) {
    for (int K : {64 * 8, 64 * 9, 2944, 2304, 3872, 1000}) {
        Example example({64, 128, K}, split(8, 64));
        std::string text = example.text();
        std::smatch found;
        ASSERT_TRUE(
            std::regex_search(text, found,
                              std::regex("min\\.u32 %ks_step, %ks_rank, (\\d+);\\s+mad\\.lo\\.u32 %ks_step, "
                                         "%ks_rank, (\\d+), %ks_step;[^}]*min\\.u32 %ks_end_step, %next, "
                                         "(\\d+);\\s+mad\\.lo\\.u32 %ks_end_step, %next, (\\d+), ")));
        auto boundary = [&](int rank, int more, int each) { return std::min(rank, more) + rank * each; };
        int at = 0;
        for (int rank = 0; rank < 8; rank++) {
            EXPECT_EQ(boundary(rank, std::stoi(found[1]), std::stoi(found[2])), at);
            int end = boundary(rank + 1, std::stoi(found[3]), std::stoi(found[4]));
            EXPECT_GE(end - at, example.op.steps() / 8);
            EXPECT_LE(end - at, example.op.steps() / 8 + 1);
            at = end;
        }
        EXPECT_EQ(at, example.op.steps());
    }
}

TEST(Split, WithoutItNothingIsOfClusters) {
    std::string text = Example({64, 128, 512}, split(1, 64)).text();
    EXPECT_THAT(text, Not(HasSubstr("barrier.cluster")));
    EXPECT_THAT(text, Not(HasSubstr("nctapercluster")));
    EXPECT_THAT(text, Not(HasSubstr("%ks_rank")));
    EXPECT_THAT(text, HasSubstr(".version 8.0\n"));
}

// A pass for another number of blocks than the schedule has.
TEST(Split, ScheduleAndPassAgree) {
    for (auto [scheduled, passed] : {std::pair{1, 2}, {2, 1}, {2, 4}, {4, 2}}) {
        std::string said = refusal([s = scheduled, p = passed] {
            Example example({64, 256, 512}, split(s, 64));
            tile_schedule(example.matmul, example.op);
            example.op.splits = p;
            test::device_text(example.scheduled());
        });
        EXPECT_THAT(said, HasSubstr(scheduled < passed ? "is not that thread's in the tensor cores"
                                                       : "elements of its"))
            << scheduled << " " << passed;
    }
}

Halide::Expr var(const char *name) { return Halide::Internal::Variable::make(Halide::Int(32), name); }
const char *const block = "y.s0.n.block_id_x";

TEST(Cluster, IsOfNeighboursAlongTheFirstDimension) {
    Halide::Expr rows = var("rows");
    EXPECT_EQ(refusal([&] { Cluster(block, rows * 184, 8); }), "no error");
    EXPECT_THAT(refusal([&] { Cluster(block, rows * 4, 8); }), HasSubstr("a cluster lacks blocks"));
    EXPECT_THAT(refusal([&] { Cluster(block, rows, 2); }), HasSubstr("a cluster lacks blocks"));
    EXPECT_THAT(refusal([&] { Cluster("y.s0.n.block_id_y", rows * 8, 8); }), HasSubstr("in one dimension"));
}

TEST(Cluster, ItsBlocksHaveNeighbouringSharesOfOneTile) {
    Cluster cluster(block, 184, 8);
    Halide::Expr rank = var((std::string(block) + ".rank").c_str()), of_all = var("c") % 23;
    Halide::Expr first = cluster.first_column((of_all * 8 + rank) * 8, var("c") / 23 * 64, 8);
    EXPECT_TRUE(Halide::Internal::is_const_zero(simplify(first - of_all * 64)));
    const char *cause = "the blocks of a cluster do not share one tile";
    EXPECT_THAT(refusal([&] { cluster.first_column((of_all * 8 + rank) * 16, 0, 8); }), HasSubstr(cause));
    EXPECT_THAT(refusal([&] { cluster.first_column(of_all * 64, 0, 8); }), HasSubstr(cause));
    EXPECT_THAT(refusal([&] { cluster.first_column((7 - rank) * 8, 0, 8); }), HasSubstr(cause));
    EXPECT_THAT(refusal([&] { cluster.first_column(rank * 8, rank * 64, 8); }), HasSubstr(cause));
}

// Every block, by its number and by cluster and rank.
TEST(Cluster, CodeByRankIsTheSameCode) {
    using namespace Halide::Internal;
    Halide::Expr b = var(block);
    Halide::Expr value = b / 184 * 7 + b % 184 / 8 * 100 + b % 8 + b / 3 + b % 12 + b / 16 % 5;
    Stmt code = Evaluate::make(Call::make(Halide::Int(32), "use", {value}, Call::Extern));
    Cluster cluster(block, 8 * 100, 8);
    Halide::Expr by_rank = cluster.by_rank(code).as<Evaluate>()->value.as<Call>()->args[0];
    std::string cluster_name = std::string(block) + ".cluster";
    for (int i = 0; i < 800; i++) {
        Halide::Expr there = substitute({{cluster_name, i / 8}, {cluster.rank(), i % 8}}, by_rank);
        EXPECT_TRUE(is_const_zero(simplify(there - substitute(block, i, value)))) << i;
    }
}

} // namespace
} // namespace ks::tile
