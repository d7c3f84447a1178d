// SPDX-License-Identifier: Apache-2.0
// Tasks from shapes on the command line.
#include "autotune/intervals.h"
#include "autotune/tasks.h"
#include <gtest/gtest.h>
#include <set>

namespace ks::tune {
namespace {

using Shapes = std::vector<Dims>;

Task linear(const std::string &rows, const std::string &isa = "avx2", const std::string &width = "64") {
    std::map<std::string, std::string> shape = {{"K", width}, {"P", "2"}};
    if (!rows.empty()) shape["M"] = rows;
    return task_of("linear", shape, isa);
}

std::vector<Task> listed(const std::vector<Task> &all) {
    std::vector<Task> tasks;
    for (const Task &t : all) add_task(tasks, t);
    return tasks;
}

TEST(AddTask, ShapesOfOneKernelAreMeasuredTogether) {
    auto tasks = listed({linear("1"), linear("64"), linear("1"), linear("8")});
    ASSERT_EQ(tasks.size(), 1u);
    EXPECT_EQ(tasks[0].shapes, (Shapes{{{"M", 1}}, {{"M", 64}}, {{"M", 8}}}));
    EXPECT_EQ(tasks[0].check_shapes, linear("1").check_shapes);
}

TEST(AddTask, AShapeThatTheLadderHasIsNotListedTwice) {
    auto tasks = listed({linear(""), linear("8"), linear("9")});
    ASSERT_EQ(tasks.size(), 1u);
    Shapes wanted = linear("").shapes;
    wanted.push_back({{"M", 9}});
    EXPECT_EQ(tasks[0].shapes, wanted);
}

TEST(AddTask, OtherKernelsAreTasksOfTheirOwn) {
    auto tasks = listed({linear("1"), linear("1", "avx512"), linear("1", "avx2", "65"),
                         task_of("causal_conv1d", {{"D", "64"}, {"T", "1"}}, "avx2")});
    EXPECT_EQ(tasks.size(), 4u);
    for (const Task &t : tasks) EXPECT_EQ(t.shapes.size(), 1u);
}

// Where rules hold if a variant that knows its widths is faster at every shape listed.
std::set<std::string> rules_of_one_faster(const Task &task) {
    Knobs faster = task.space.fallback();
    faster.set("widths", "fixed");
    Result result;
    for (const Dims &shape : task.shapes) {
        Finalist base{{task.op, task.spec, "cuda", task.space.fallback()}, 1, {1, 1, 1}, false};
        Finalist best{{task.op, task.spec, "cuda", faster}, 0.8, {0.8, 0.79, 0.81}, true};
        result.shapes.push_back({shape, {base, best}, 1});
    }
    std::set<std::string> where;
    for (const Rule &r : make_rules(task, result, "2026-01-02")) where.insert(r.where_text());
    return where;
}

using Where = std::set<std::string>;

TEST(TaskOf, BatchesOnAGpuGiveWholeIntervals) {
    const Where wanted = {"T=64..2048, sequences=1", "T=512..16384, sequences=8",
                          "T=512..32768, sequences=64"};
    EXPECT_EQ(rules_of_one_faster(task_of("selective_scan", {{"D", "64"}, {"N", "16"}}, "cuda")), wanted);
    EXPECT_EQ(rules_of_one_faster(task_of("causal_conv1d", {{"D", "64"}}, "cuda")), wanted);
}

TEST(TaskOf, LaddersOnAGpuGiveWholeIntervals) {
    EXPECT_EQ(rules_of_one_faster(task_of("linear", {{"K", "64"}, {"P", "64"}, {"panel", "1"}}, "cuda")),
              Where{"M=1..16384"});
    for (auto [slots, where] : {std::pair{"1", "T=1..128"}, {"8", "T=4..1024"}, {"128", "T=64..16384"}})
        EXPECT_EQ(
            rules_of_one_faster(task_of(
                "grouped_expert_up",
                {{"io", "bf16"}, {"weight", "bf16"}, {"B", slots}, {"E", "4"}, {"K", "64"}, {"F", "64"}},
                "cuda")),
            Where{where});
}

// Ops and specs of the shipped model, in bf16.
TEST(ModelTasks, AGpuGetsTheOpsThatItHas) {
    std::set<std::string> kernels;
    for (const Task &t : model_tasks(std::string(KS_SOURCE_DIR) + "/models/kjv-8x11m", "bf16", "cuda")) {
        EXPECT_EQ(t.spec.choices.at("io"), "bf16") << t.op;
        EXPECT_FALSE(t.shapes.empty()) << t.op;
        EXPECT_TRUE(t.space.legal(t.space.fallback())) << t.op;
        std::string widths;
        for (const auto &[name, value] : t.spec.fixed) widths += " " + name + std::to_string(value);
        kernels.insert(t.op + widths);
    }
    std::set<std::string> wanted = {"causal_conv1d D512",      "linear K16 P512",
                                    "linear K256 P1024",       "linear K256 P2048",
                                    "linear K512 P256",        "linear K512 P48",
                                    "selective_scan D512 N16", "selective_state_update D512 N16"};
    for (const char *slots : {"1", "8", "64", "128"}) {
        wanted.insert(std::string("grouped_expert_up B") + slots + " E8 F384 K256");
        wanted.insert(std::string("grouped_expert_down B") + slots + " E8 K384 N256");
    }
    EXPECT_EQ(kernels, wanted);
}

TEST(ModelTasks, ACpuGetsPackedPanels) {
    std::set<std::string> ops;
    for (const Task &t : model_tasks(std::string(KS_SOURCE_DIR) + "/models/kjv-8x11m", "bf16", "avx2")) {
        ops.insert(t.op);
        if (t.op == "linear") {
            EXPECT_NE(t.spec.choices.at("panel"), "1");
        }
    }
    EXPECT_EQ(ops, (std::set<std::string>{"causal_conv1d", "expert_down", "expert_up", "linear",
                                          "selective_scan", "selective_state_update"}));
}

} // namespace
} // namespace ks::tune
