// SPDX-License-Identifier: Apache-2.0
// A fake compiler and a fake noisy device as worker processes: this test program starts itself again with
// KS_FAKE_ROLE set. Knobs plan what goes wrong: "plan" = fine, hang, crash, garbage, wrong_edge, overrun,
// underrun, broken_build, crash_build, hang_build, no_file, slow_crash (passes the check, crashes when
// timed).
#pragma once
#include "autotune/guard.h"
#include "autotune/measure.h"
#include "autotune/stages.h"
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <unistd.h>

namespace ks::tune::fake {

inline std::vector<std::string> argv(const std::string &role, const std::string &log = "") {
    return {"/usr/bin/env", "KS_FAKE_ROLE=" + role, "KS_FAKE_LOG=" + log,
            "/proc/" + std::to_string(getpid()) + "/exe"};
}

// One line per piece of work done, so that a test can count what a resumed run did again.
inline void log(const std::string &line) {
    const char *path = getenv("KS_FAKE_LOG");
    if (path && *path) std::ofstream(path, std::ios::app) << line + "\n" << std::flush;
}

[[noreturn]] inline void hang() {
    for (;;) pause();
}
[[noreturn]] inline void crash() {
    std::cerr << "fake kernel: bad address" << std::endl;
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
    _exit(1);
}

inline std::string plan(const Candidate &c) {
    auto at = c.knobs.values().find("plan");
    return at == c.knobs.values().end() ? "fine" : at->second;
}

// The default (group=0) takes 1 ms per unit of T/64; group g is faster at long T and slower at short T.
inline double true_seconds(const Candidate &c, const Dims &shape) {
    double t = static_cast<double>(shape.at("T"));
    int g = c.knobs.integer("group");
    return 1e-3 * (t / 64) / (1 + 0.1 * g) + 1e-4 * g;
}

inline json build(const json &request) {
    Candidate c = candidate_from_json(request["candidate"]);
    log("build " + c.knobs.text());
    if (plan(c) == "broken_build") return {{"ok", false}, {"error", "schedule refused"}};
    if (plan(c) == "crash_build") crash();
    if (plan(c) == "hang_build") hang();
    if (plan(c) != "no_file") std::ofstream(request["out"].get<std::string>()) << c.text();
    return {{"ok", true}, {"seconds", 0.0}};
}

// A "kernel" that doubles T floats, as well as the plan lets it.
inline std::string run_kernel(const Candidate &c, int64_t t) {
    GuardedBuffer out(static_cast<size_t>(t) * sizeof(float));
    auto *y = static_cast<float *>(out.data());
    for (int64_t i = 0; i < t; i++) y[i] = 2.0f * static_cast<float>(i);
    if (plan(c) == "wrong_edge" && t == 257) y[256] = 0;              // right at every other shape
    if (plan(c) == "overrun") const_cast<volatile float *>(y)[t] = 1; // one element too many
    if (plan(c) == "underrun") const_cast<volatile float *>(y)[-3] = 1;
    for (int64_t i = 0; i < t; i++)
        if (!(y[i] == 2.0f * static_cast<float>(i))) return "wrong at T=" + std::to_string(t);
    return out.damage();
}

inline json check(const json &request) {
    Candidate c = candidate_from_json(request["candidate"]);
    log("check " + c.knobs.text() + " T=" + std::to_string(request["shape"]["T"].get<int>()));
    if (!std::ifstream(request["artefact"].get<std::string>()))
        return {{"ok", false}, {"error", "no artefact"}};
    if (plan(c) == "hang") hang();
    if (plan(c) == "crash") crash();
    if (plan(c) == "garbage") std::cout << "segment 7 ready\n" << std::flush;
    if (std::string e = run_kernel(c, request["shape"]["T"]); !e.empty())
        return {{"ok", false}, {"error", e}};
    return {{"ok", true}, {"max_error", 0.0}};
}

inline json time(const json &request) {
    static std::mt19937 random(static_cast<unsigned>(getpid()));
    std::vector<Candidate> list;
    for (const auto &item : request["candidates"]) list.push_back(candidate_from_json(item["candidate"]));
    std::string names;
    for (const auto &c : list) names += " " + c.knobs.text();
    Dims shape = request["shape"].get<Dims>();
    log("time T=" + std::to_string(shape["T"]) + names);
    double drift = 1;
    auto one = [&](size_t i) {
        if (plan(list[i]) == "slow_crash") crash();
        drift *= 1.002; // the device heats up
        double noise = std::normal_distribution<double>(0, 0.01)(random);
        double spike = random() % 20 == 0 ? 1.5 : 1; // somebody else's work
        return true_seconds(list[i], shape) * drift * spike * std::exp(noise);
    };
    return {{"ok", true}, {"seconds", interleave(list.size(), request["rounds"], one)}};
}

// The worker's own test commands.
inline json echo(const json &request) {
    std::string what = request["what"];
    if (what == "hang") hang();
    if (what == "crash") crash();
    if (what == "exit") std::cerr << "no device\n", _exit(3);
    if (what == "flood") // never an end of line
        for (std::string block(65536, 'x');;) (void)!write(1, block.data(), block.size());
    if (what == "chatter") // fills the pipe of standard error
        for (int i = 0; i < 100000; i++) std::cerr << "warning " << i << "\n";
    if (what == "spawn") { // a grandchild that keeps the channel open
        pid_t child = fork();
        if (child == 0) hang();
        return {{"ok", true}, {"child", child}};
    }
    if (what == "spawn_crash") {
        if (fork() == 0) hang();
        crash();
    }
    if (what == "late") std::cout << "{\"ok\":true}\n" << std::flush; // two answers
    return {{"ok", true}, {"size", request.dump().size()}, {"pid", getpid()}};
}

inline void serve() {
    for (std::string line; std::getline(std::cin, line);) {
        json request = json::parse(line), answer;
        std::string cmd = request["cmd"];
        if (cmd == "build") answer = build(request);
        if (cmd == "check") answer = check(request);
        if (cmd == "time") answer = time(request);
        if (cmd == "echo") answer = echo(request);
        if (cmd == "text") answer = nullptr;
        std::cout << answer.dump() << "\n" << std::flush;
    }
}

// Before main, so that it works whatever main the test program has.
inline bool become_worker() {
    const char *role = getenv("KS_FAKE_ROLE");
    if (!role || std::string(role) != "worker") return false;
    serve();
    _exit(0);
}

// A space of `groups` x plans with T-dependent optimum, as used by several tests.
inline Space space(const std::vector<std::string> &plans, int groups = 8) {
    Space s;
    std::vector<int> values;
    for (int g = 0; g < groups; g++) values.push_back(g);
    s.knob("group", values, 0, "");
    s.knob("plan", plans, "fine", "");
    s.rule([](const Knobs &k) { return k["plan"] == "fine" || k["group"] == "3"; });
    return s;
}

} // namespace ks::tune::fake
