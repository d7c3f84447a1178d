// SPDX-License-Identifier: Apache-2.0
// Runs a script against the modules of bench/gpu, by a python3 that need not have torch.
#pragma once
#include "tests/runtime/io/files.h"
#include <cstdlib>
#include <sys/wait.h>

namespace ks::test {

struct Said {
    int status;
    std::string out, err;
};

class Python : public testing::Test {
  protected:
    Said run(const std::string &script) const {
        scratch_.write("main.py", "import sys\nsys.path.insert(0, '" KS_SOURCE_DIR
                                  "')\nsys.dont_write_bytecode = True\nscratch = '" +
                                      scratch_.path() + "'\n" + script);
        return shell("python3 '" + scratch_.path("main.py") + "'");
    }

    Said shell(const std::string &command) const {
        int status = std::system(
            (command + " >'" + scratch_.path("out") + "' 2>'" + scratch_.path("err") + "'").c_str());
        return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_all(scratch_.path("out")),
                read_all(scratch_.path("err"))};
    }

    // What the script must print.
    void expect_prints(const std::string &script, const std::string &wanted) const {
        Said said = run(script);
        EXPECT_EQ(said.status, 0) << said.err;
        EXPECT_EQ(said.out, wanted);
    }

    ScratchFolder scratch_;
};

} // namespace ks::test
