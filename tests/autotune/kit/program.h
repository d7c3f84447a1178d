// SPDX-License-Identifier: Apache-2.0
// Runs a program as a user does.
#pragma once
#include <array>
#include <cstdio>
#include <string>
#include <sys/wait.h>

namespace ks::tune {

struct Ran {
    int status;       // exit status; -1: ended by a signal
    std::string text; // standard output and error
};

inline Ran run_program(const std::string &command) {
    FILE *pipe = popen((command + " 2>&1").c_str(), "r");
    std::string text;
    std::array<char, 4096> buffer;
    for (size_t n; pipe && (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
        text.append(buffer.data(), n);
    int status = pipe ? pclose(pipe) : -1;
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text};
}

} // namespace ks::tune
