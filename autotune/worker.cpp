// SPDX-License-Identifier: Apache-2.0
#include "autotune/worker.h"
#include "runtime/base/error.h"
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace ks::tune {

namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t longest_line = 16u << 20, longest_words = 4096;
constexpr int look_ms = 50;        // how often a silent child is looked at
constexpr double kill_seconds = 5; // a child in an uninterruptible driver call can't be waited for

double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

void close_end(int &fd) {
    if (fd >= 0) close(fd);
    fd = -1;
}

// Runs in the forked child: async-signal-safe calls only. Returns only to report errno through `report`.
void become(char *const *argv, int channel, int errors, int report, pid_t parent) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127); // the parent died before the signal was armed
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    signal(SIGPIPE, SIG_DFL);
    if (dup2(channel, 0) >= 0 && dup2(channel, 1) >= 0 && dup2(errors, 2) >= 0) execvp(argv[0], argv);
    int cause = errno;
    (void)!write(report, &cause, sizeof cause);
    _exit(127);
}

std::string last_line(const std::string &text) {
    size_t end = text.find_last_not_of(" \t\r\n");
    if (end == std::string::npos) return "";
    size_t begin = text.find_last_of('\n', end);
    return text.substr(begin == std::string::npos ? 0 : begin + 1,
                       end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

} // namespace

void Worker::start() {
    stop();
    int pair[2], errors[2], report[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) throw Error(argv_.at(0), strerror(errno));
    if (pipe2(errors, O_CLOEXEC) || pipe2(report, O_CLOEXEC)) throw Error(argv_.at(0), strerror(errno));
    std::vector<char *> argv;
    for (auto &word : argv_) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_t parent = getpid();
    pid_ = fork();
    if (pid_ == 0) become(argv.data(), pair[1], errors[1], report[1], parent);
    int fork_error = errno;
    for (int fd : {pair[1], errors[1], report[1]}) close(fd);
    channel_ = pair[0], stderr_ = errors[0];
    int cause = 0;
    ssize_t got = 0;
    if (pid_ < 0)
        cause = fork_error;
    else
        do got = read(report[0], &cause, sizeof cause);
        while (got < 0 && errno == EINTR); // end of file: exec has closed it
    close(report[0]);
    if (cause) {
        stop();
        throw Error(argv_.at(0), fmt::format("cannot be started: {}", strerror(cause)));
    }
    fcntl(channel_, F_SETFL, O_NONBLOCK);
    fcntl(stderr_, F_SETFL, O_NONBLOCK);
    last_words_.clear();
}

bool Worker::gone() const {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == pid_;
}

bool Worker::receive(std::string &text) {
    char buffer[65536];
    while (text.size() <= longest_line) {
        ssize_t got = recv(channel_, buffer, sizeof buffer, MSG_DONTWAIT);
        if (got > 0)
            text.append(buffer, static_cast<size_t>(got));
        else if (got == 0 || (errno != EINTR && errno != EAGAIN))
            return false;
        else if (errno == EAGAIN)
            return true;
    }
    return true;
}

void Worker::drain_stderr() {
    char buffer[4096];
    ssize_t got = 0;
    // Bounded, so that a child that never stops writing can't hold the caller beyond its deadline.
    for (int i = 0; i < 64 && (got = read(stderr_, buffer, sizeof buffer)) > 0; i++) {
        last_words_.append(buffer, static_cast<size_t>(got));
        if (last_words_.size() > longest_words) last_words_.erase(0, last_words_.size() - longest_words);
    }
    if (got == 0) close_end(stderr_);
}

std::string Worker::end() {
    if (stderr_ >= 0) drain_stderr();
    int status = 0;
    pid_t reaped = 0;
    if (pid_ > 0) {
        kill(-pid_, SIGKILL);
        kill(pid_, SIGKILL);
        for (auto begin = Clock::now();
             (reaped = waitpid(pid_, &status, WNOHANG)) == 0 && since(begin) < kill_seconds;)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    pid_ = -1;
    close_end(channel_);
    close_end(stderr_);
    std::string how = "ended";
    if (reaped > 0 && WIFSIGNALED(status))
        how = fmt::format("killed by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
    if (reaped > 0 && WIFEXITED(status)) how = fmt::format("exited with status {}", WEXITSTATUS(status));
    std::string words = last_line(last_words_);
    return words.empty() ? how : how + ": " + words;
}

void Worker::stop() { end(); }

Reply Worker::request(const nlohmann::json &message, double seconds) {
    auto begin = Clock::now();
    std::string stale, text, line = message.dump() + "\n";
    // A child that died or spoke between two requests is out of step; that is not this request's fault.
    if (pid_ < 0 || gone() || !receive(stale) || !stale.empty()) start();
    size_t sent = 0;
    auto failed = [&](Reply::State state, const std::string &cause) {
        std::string how = end();
        return Reply{state, {}, cause.empty() ? how : cause, since(begin)};
    };
    for (;;) {
        double left = seconds - since(begin);
        if (left <= 0) return failed(Reply::State::timeout, fmt::format("no answer within {:g} s", seconds));
        bool dead = gone(); // asked before reading: what it wrote before its end is still read
        pollfd fds[2] = {{channel_, static_cast<short>(POLLIN | (sent < line.size() ? POLLOUT : 0)), 0},
                         {stderr_, POLLIN, 0}};
        poll(fds, 2, dead ? 0 : std::min(look_ms, static_cast<int>(left * 1000) + 1));
        if (stderr_ >= 0 && fds[1].revents) drain_stderr();
        if (fds[0].revents & POLLOUT) {
            ssize_t n = send(channel_, line.data() + sent, line.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n > 0) sent += static_cast<size_t>(n);
        }
        bool open = receive(text);
        size_t stop_at = text.find('\n');
        if (stop_at != std::string::npos) {
            auto answer = nlohmann::json::parse(text.begin(), text.begin() + static_cast<long>(stop_at),
                                                nullptr, false);
            if (answer.is_object() && stop_at + 1 == text.size() && sent == line.size())
                return {Reply::State::ok, std::move(answer), "", since(begin)};
            return failed(Reply::State::garbage, "answered something else than one JSON object per request");
        }
        if (text.size() > longest_line)
            return failed(Reply::State::garbage, "answered without an end of line");
        // A dying process closes its files before it can be reaped: wait a little for its true end.
        for (int i = 0; !open && !gone() && i < 500; i++)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        if (!open || dead) return failed(Reply::State::crash, "");
    }
}

} // namespace ks::tune
