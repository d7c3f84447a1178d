// SPDX-License-Identifier: Apache-2.0
// Runs the program ks in a folder of its own and keeps what it says.
#pragma once
#include "runtime/io/npz.h"
#include "tests/runtime/io/files.h"
#include <cstdlib>
#include <gtest/gtest.h>
#include <string>
#include <sys/wait.h>
#include <vector>

namespace ks::test {

struct Said {
    int status; // -1: killed by a signal
    std::string out, err;
};

class Process : public testing::Test {
  protected:
    std::string path(const std::string &name) const { return scratch_.path(name); }
    std::string quoted(const std::string &name) const { return "'" + path(name) + "'"; }

    // `arguments` as in a shell; `out` is where standard output goes.
    Said run(const std::string &arguments, const std::string &out = "") const {
        std::string to = out.empty() ? path("out") : out;
        std::string command = KS_BIN_DIR "/ks " + arguments + " >'" + to + "' 2>" + quoted("err");
        int status = std::system(command.c_str());
        return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, out.empty() ? read_all(to) : "",
                read_all(path("err"))};
    }

    // Exit status 1 and one last line of "ks: " that holds all `parts`.
    static void expect_refused(const Said &said, const std::vector<std::string> &parts) {
        EXPECT_EQ(said.status, 1) << said.err;
        size_t at = said.err.rfind("ks: ");
        ASSERT_NE(at, std::string::npos) << said.err;
        std::string line = said.err.substr(at);
        for (const auto &part : parts)
            EXPECT_NE(line.find(part), std::string::npos) << part << " is not in: " << line;
        EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
    }

    ScratchFolder scratch_;
};

} // namespace ks::test
