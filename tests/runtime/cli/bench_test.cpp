// SPDX-License-Identifier: Apache-2.0
// ks bench: four formats with the same rows; ks info: the same parameters.
#include "tests/runtime/cli/process.h"
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

namespace ks::test {
namespace {

const std::string model = std::string("'") + KS_SOURCE_DIR + "/models/kjv-8x11m'";

class Bench : public Process {
  protected:
    std::string bench(const std::string &flags) {
        Said said = run("bench -m " + model + " -t 1 " + flags);
        EXPECT_EQ(said.status, 0) << said.err;
        return said.out;
    }
    static std::vector<std::string> lines(const std::string &text) {
        std::istringstream in(text);
        std::vector<std::string> all;
        for (std::string line; std::getline(in, line);) all.push_back(line);
        return all;
    }
};

TEST_F(Bench, JsonRowsHoldSamplesAndTheirMean) {
    auto rows = nlohmann::json::parse(bench("-p 32 -n 6 -r 3 -o json"));
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0]["test"], "pp32");
    EXPECT_EQ(rows[0]["n_prompt"], 32);
    EXPECT_EQ(rows[1]["test"], "tg6");
    EXPECT_EQ(rows[1]["n_gen"], 6);
    for (const auto &row : rows) {
        auto samples = row["samples_ts"].get<std::vector<double>>();
        ASSERT_EQ(samples.size(), 3u);
        double mean = (samples[0] + samples[1] + samples[2]) / 3, squares = 0;
        for (double s : samples) squares += (s - mean) * (s - mean);
        EXPECT_NEAR(row["avg_ts"].get<double>(), mean, 1e-6 * mean);
        EXPECT_NEAR(row["stddev_ts"].get<double>(), std::sqrt(squares / 2), 1e-6 * mean);
        EXPECT_GT(*std::min_element(samples.begin(), samples.end()), 0);
        EXPECT_EQ(row["n_threads"], 1);
    }
}

TEST_F(Bench, LinesOfJson) {
    auto rows = lines(bench("-p 8 -n 2 -r 1 -o jsonl"));
    ASSERT_EQ(rows.size(), 2u);
    for (const auto &row : rows) EXPECT_EQ(nlohmann::json::parse(row)["stddev_ts"], 0) << "of one sample";
}

TEST_F(Bench, TablesHaveAsManyCellsAsTitles) {
    for (const char *format : {"md", "csv"}) {
        auto rows = lines(bench(std::string("-p 8 -n 2 -r 1 -o ") + format));
        char mark = format[0] == 'm' ? '|' : ',';
        ASSERT_EQ(rows.size(), format[0] == 'm' ? 4u : 3u);
        for (const auto &row : rows)
            EXPECT_EQ(std::count(row.begin(), row.end(), mark),
                      std::count(rows[0].begin(), rows[0].end(), mark))
                << row;
    }
}

TEST_F(Bench, EitherPartCanBeLeftOut) {
    EXPECT_EQ(lines(bench("-p 0 -n 2 -r 1 -o jsonl")).size(), 1u);
    EXPECT_EQ(lines(bench("-p 2 -n 0 -r 1 -o jsonl")).size(), 1u);
    expect_refused(run("bench -m " + model + " -p 0 -n 0"), {"nothing to measure"});
    EXPECT_EQ(run("bench -m " + model + " -r 0").status, 2);
}

TEST_F(Bench, InfoCountsTheSameParameters) {
    auto row = nlohmann::json::parse(bench("-p 2 -n 0 -r 1 -o jsonl"));
    Said info = run("info -m " + model);
    EXPECT_EQ(row["model_n_params"], 11723296);
    EXPECT_NE(info.out.find("11723296 total, 3465760 active"), std::string::npos) << info.out;
    // 4 mixers of [512, 16] scan states and [512, 3] inputs in f32
    EXPECT_NE(info.out.find(std::to_string(4 * 512 * (16 + 3) * 4) + " bytes per sequence"),
              std::string::npos)
        << info.out;
}

} // namespace
} // namespace ks::test
