// SPDX-License-Identifier: Apache-2.0
#include "dsl/ptx/program.h"
#include "runtime/base/error.h"
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace ks::ptx {

Finished run_program(const std::vector<std::string> &words) {
    std::vector<char *> argv;
    for (const auto &word : words) argv.push_back(const_cast<char *>(word.c_str()));
    argv.push_back(nullptr);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) throw Error(words.at(0), std::strerror(errno));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
    pid_t child = 0;
    int error = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    Finished done{127, error ? std::strerror(error) : ""};
    char piece[4096];
    for (ssize_t got;
         !error && ((got = read(ends[0], piece, sizeof piece)) > 0 || (got < 0 && errno == EINTR));)
        if (got > 0) done.output.append(piece, static_cast<size_t>(got));
    close(ends[0]);
    if (error) return done;
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    done.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return done;
}

ScratchFolder::ScratchFolder() {
    const char *base = std::getenv("TMPDIR");
    folder_ = std::string(base && *base ? base : "/tmp") + "/ks-XXXXXX";
    if (!mkdtemp(folder_.data())) throw Error(folder_, std::strerror(errno));
}

ScratchFolder::~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

} // namespace ks::ptx
