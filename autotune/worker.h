// SPDX-License-Identifier: Apache-2.0
// A child process that answers requests, one JSON object per line on its standard input and output. It may
// hang, crash or talk nonsense: the caller gets that as a Reply, never later than the deadline (plus the
// kill).
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <sys/types.h>
#include <vector>

namespace ks::tune {

struct Reply {
    enum class State { ok, timeout, crash, garbage };
    State state = State::ok;
    nlohmann::json answer; // an object when ok
    std::string cause; // one line when not ok: signal or exit status, and the last line of the child's stderr
    double seconds = 0; // from request to reply
};

// Not thread-safe. The child dies with the *thread* that started it (parent-death signal), so that a killed
// tuner leaves no worker behind; it has its own process group, and what it starts is killed with it.
class Worker {
  public:
    explicit Worker(std::vector<std::string> argv) : argv_(std::move(argv)) {}
    ~Worker() { stop(); }
    Worker(const Worker &) = delete;
    Worker &operator=(const Worker &) = delete;

    // Starts the child when none runs. After any state but ok the child is gone and the next request starts a
    // new one. Throws ks::Error when the program can't be started at all.
    Reply request(const nlohmann::json &message, double seconds);
    void stop(); // kills the whole group; returns within 5 s even when the kernel holds the child
    pid_t pid() const { return pid_; } // -1: none runs

  private:
    void start();
    bool gone() const;               // the child has ended (it is not reaped yet)
    bool receive(std::string &text); // appends what is there; false: the child closed its end
    void drain_stderr();
    std::string end(); // reaps the group and says how the child ended

    std::vector<std::string> argv_;
    pid_t pid_ = -1;
    int channel_ = -1, stderr_ = -1;
    std::string last_words_; // tail of stderr
};

} // namespace ks::tune
