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

// A variant that is faster at every shape listed serves everything between them.
TEST(TaskOf, BatchesOnAGpuGiveWholeIntervals) {
    for (const char *op : {"selective_scan", "causal_conv1d"}) {
        std::map<std::string, std::string> widths = {{"D", "64"}};
        if (std::string(op) == "selective_scan") widths["N"] = "16";
        Task task = task_of(op, widths, "cuda");
        Knobs faster = task.space.fallback();
        faster.set("widths", "fixed");
        Result result;
        for (const Dims &shape : task.shapes) {
            Finalist base{{op, task.spec, "cuda", task.space.fallback()}, 1, {1, 1, 1}, false};
            Finalist best{{op, task.spec, "cuda", faster}, 0.8, {0.8, 0.79, 0.81}, true};
            result.shapes.push_back({shape, {base, best}, 1});
        }
        std::set<std::string> where;
        for (const Rule &r : make_rules(task, result, "2026-01-02")) where.insert(r.where_text());
        EXPECT_EQ(where, (std::set<std::string>{"T=64..2048, sequences=1", "T=512..16384, sequences=8",
                                                "T=512..32768, sequences=64"}))
            << op;
    }
}

} // namespace
} // namespace ks::tune
