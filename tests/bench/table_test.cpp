// SPDX-License-Identifier: Apache-2.0
// bench/table.py on planted rows: a stand-in for ks_bench_rows prints them.
#include "tests/runtime/io/files.h"
#include <cstdlib>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>

namespace ks::test {
namespace {

using nlohmann::json;

struct Said {
    int status;
    std::string out, err;
};

class Table : public testing::Test {
  protected:
    // Has the stand-in list `ids` and, asked to measure, print `lines` and end with `status`; its arguments
    // are kept.
    void plant(const std::string &ids, const std::vector<std::string> &lines, int status = 0) const {
        std::string script = "#!/bin/sh\necho \"$@\" >>" + scratch_.path("asked") +
                             "\ncase \" $* \" in *\" --list \"*) echo '" + ids + "'; exit 0 ;; esac\n";
        for (const std::string &line : lines) script += "echo '" + line + "'\n";
        scratch_.write("rows", script + "exit " + std::to_string(status) + "\n");
        std::filesystem::permissions(scratch_.path("rows"), std::filesystem::perms::owner_all);
    }

    static std::string row(const std::string &id, const json &ratio, const json &goal, const json &met) {
        return json{{"id", id},        {"what", "w"},        {"shape", "f32 T=4"}, {"ours", 123.4},
                    {"rival", "loop"}, {"rival_value", 2.5}, {"unit", "ms"},       {"ratio", ratio},
                    {"goal", goal},    {"met", met},         {"note", "why " + id}}
            .dump();
    }

    Said table(const std::string &arguments) const {
        scratch_.write("main.py", "import sys\nsys.path.insert(0, '" KS_SOURCE_DIR
                                  "/bench')\nsys.dont_write_bytecode = True\n"
                                  "import table\ntable.ROWS = '" +
                                      scratch_.path("rows") + "'\ntable.main()\n");
        std::string command = "python3 '" + scratch_.path("main.py") + "' " + arguments + " >'" +
                              scratch_.path("out") + "' 2>'" + scratch_.path("err") + "'";
        int status = std::system(command.c_str());
        return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_all(scratch_.path("out")),
                read_all(scratch_.path("err"))};
    }

    // The printed line that begins with `id`.
    static std::string line_of(const Said &said, const std::string &id) {
        size_t at = ("\n" + said.out).find("\n" + id + " ");
        return at == std::string::npos ? "" : said.out.substr(at, said.out.find('\n', at) - at);
    }

    ScratchFolder scratch_;
};

TEST_F(Table, SaysWhetherTheGoalIsMet) {
    for (const auto &[id, ratio, goal, met, wanted] :
         {std::tuple{"good", json(1.5), json(1), json(true), "  1.50  1.00  met "},
          std::tuple{"bad", json(0.5), json(1), json(false), "  0.50  1.00  MISSED "},
          std::tuple{"alone", json(), json(1), json(), "     -  1.00  no rival "},
          std::tuple{"told", json(0.7), json(), json(), "  0.70     -  no goal "}}) {
        plant(id, {row(id, ratio, goal, met)});
        Said said = table(std::string("--only ") + id);
        EXPECT_EQ(said.status, 0) << said.err;
        EXPECT_NE(line_of(said, id).find(wanted), std::string::npos) << said.out;
        EXPECT_NE(said.out.find(std::string("why ") + id), std::string::npos) << said.out;
    }
}

TEST_F(Table, WritesTheRowsAsJson) {
    std::string planted = row("alone", json(), 1, json());
    plant("alone", {planted});
    Said said = table("--only alone --json '" + scratch_.path("rows.json") + "'");
    ASSERT_EQ(said.status, 0) << said.err;
    EXPECT_EQ(json::parse(read_all(scratch_.path("rows.json"))), json::array({json::parse(planted)}));
}

TEST_F(Table, AsksForTheOneRowAndPassesRoundsAndInstructionSet) {
    plant("scan", {row("scan", 2, 1, true)});
    ASSERT_EQ(table("--only scan --rounds 5 --isa avx2").status, 0);
    EXPECT_EQ(read_all(scratch_.path("asked")), "--list --isa avx2\n--rounds 5 --only scan --isa avx2\n");
}

TEST_F(Table, ListsEveryRow) {
    plant("scan\nscan-avx2", {});
    EXPECT_EQ(
        table("--list").out,
        "scan\nscan-avx2\nmodel-prefill-f32\nmodel-decode-f32\nmodel-prefill-bf16\nmodel-decode-bf16\n");
}

TEST_F(Table, RefusesARowThatIsNotThere) {
    plant("scan", {});
    Said said = table("--only scam");
    EXPECT_EQ(said.status, 1);
    EXPECT_EQ(said.err.rfind("error: --only scam: the rows are scan, model-", 0), 0u) << said.err;
}

TEST_F(Table, FailsWhenTheMeasurementFails) {
    plant("scan", {row("scan", 2, 1, true)}, 1);
    Said said = table("--only scan");
    EXPECT_EQ(said.status, 1);
    EXPECT_EQ(said.err, "error: ks_bench_rows failed\n");
}

} // namespace
} // namespace ks::test
