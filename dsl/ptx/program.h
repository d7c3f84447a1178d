// SPDX-License-Identifier: Apache-2.0
// Running an outside program to its end, without a shell.
#pragma once
#include <string>
#include <vector>

namespace ks::ptx {

struct Finished {
    int status;         // exit status; 128 + n after signal n; 127 when it could not be started
    std::string output; // stdout and stderr, as they came
};

// argv[0] is looked up on the PATH. Throws ks::Error when the system has no process or pipe left.
Finished run_program(const std::vector<std::string> &argv);

// A folder of its own under TMPDIR (default /tmp), removed with all that is in it.
class ScratchFolder {
  public:
    ScratchFolder();
    ~ScratchFolder();
    ScratchFolder(const ScratchFolder &) = delete;
    ScratchFolder &operator=(const ScratchFolder &) = delete;
    std::string path(const std::string &file) const { return folder_ + "/" + file; }

  private:
    std::string folder_;
};

} // namespace ks::ptx
