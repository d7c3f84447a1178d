// SPDX-License-Identifier: Apache-2.0
// Workers that hang, crash, flood and lie: the caller gets a state and a cause within the deadline.
#include "autotune/worker.h"
#include "runtime/base/error.h"
#include "tests/autotune/fake_device.h"
#include <chrono>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <thread>

using namespace ks::tune;

namespace {

const bool child = fake::become_worker();

Reply ask(Worker &w, const std::string &what, double seconds = 20) {
    return w.request({{"cmd", "echo"}, {"what", what}}, seconds);
}

bool alive(pid_t pid) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    std::getline(stat, line);
    size_t at = line.rfind(") ");
    return at != std::string::npos && line[at + 2] != 'Z' && line[at + 2] != 'X';
}

bool dies(pid_t pid) {
    for (int i = 0; i < 500 && alive(pid); i++) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return !alive(pid);
}

TEST(Worker, KeepsOneProcessOverGoodRequests) {
    Worker w(fake::argv("worker"));
    Reply a = ask(w, "hi"), b = ask(w, "hi");
    ASSERT_EQ(a.state, Reply::State::ok) << a.cause;
    ASSERT_EQ(b.state, Reply::State::ok) << b.cause;
    EXPECT_EQ(a.answer["pid"], b.answer["pid"]);
}

TEST(Worker, CarriesLargeRequests) {
    Worker w(fake::argv("worker"));
    Reply r = w.request({{"cmd", "echo"}, {"what", std::string(3 << 20, 'x')}}, 20);
    ASSERT_EQ(r.state, Reply::State::ok) << r.cause;
    EXPECT_GT(r.answer["size"], 3 << 20);
}

TEST(Worker, KillsAHangingChildAtTheDeadline) {
    Worker w(fake::argv("worker"));
    ASSERT_EQ(ask(w, "hi").state, Reply::State::ok);
    pid_t pid = w.pid();
    Reply r = ask(w, "hang", 0.3);
    EXPECT_EQ(r.state, Reply::State::timeout);
    EXPECT_EQ(r.cause, "no answer within 0.3 s");
    EXPECT_GE(r.seconds, 0.3);
    EXPECT_LT(r.seconds, 2);
    EXPECT_TRUE(dies(pid));
    EXPECT_EQ(ask(w, "hi").state, Reply::State::ok); // a new one
}

TEST(Worker, NamesTheSignalAndTheLastWords) {
    Worker w(fake::argv("worker"));
    Reply r = ask(w, "crash");
    EXPECT_EQ(r.state, Reply::State::crash);
    EXPECT_NE(r.cause.find("signal 11"), std::string::npos) << r.cause;
    EXPECT_NE(r.cause.find("fake kernel: bad address"), std::string::npos) << r.cause;
    EXPECT_LT(r.seconds, 10);
    EXPECT_EQ(ask(w, "exit").cause, "exited with status 3: no device");
    EXPECT_EQ(ask(w, "hi").state, Reply::State::ok);
}

TEST(Worker, RejectsAnswersThatAreNoSingleObject) {
    Worker w(fake::argv("worker"));
    EXPECT_EQ(w.request({{"cmd", "text"}}, 20).state, Reply::State::garbage);
    EXPECT_EQ(ask(w, "flood").state, Reply::State::garbage);
    Worker cat({"/bin/echo", "hello"});
    EXPECT_EQ(cat.request({{"cmd", "x"}}, 20).state, Reply::State::garbage);
}

TEST(Worker, TwoAnswersNeverReachTheNextRequest) {
    Worker w(fake::argv("worker"));
    Reply first = ask(w, "late");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    Reply next = ask(w, "hi");
    EXPECT_TRUE(first.state == Reply::State::ok || first.state == Reply::State::garbage);
    ASSERT_EQ(next.state, Reply::State::ok);
    EXPECT_TRUE(next.answer.contains("pid"));
}

TEST(Worker, SurvivesANoisyStandardError) {
    Worker w(fake::argv("worker"));
    EXPECT_EQ(ask(w, "chatter").state, Reply::State::ok);
}

TEST(Worker, KillsGrandchildren) {
    Worker w(fake::argv("worker"));
    Reply r = ask(w, "spawn");
    ASSERT_EQ(r.state, Reply::State::ok);
    pid_t grandchild = r.answer["child"];
    EXPECT_TRUE(alive(grandchild));
    w.stop();
    EXPECT_TRUE(dies(grandchild));
    EXPECT_EQ(ask(w, "spawn_crash").state, Reply::State::crash); // the grandchild holds the channel open
}

TEST(Worker, NoticesAChildKilledBetweenRequests) {
    Worker w(fake::argv("worker"));
    ASSERT_EQ(ask(w, "hi").state, Reply::State::ok);
    kill(w.pid(), SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(ask(w, "hi").state, Reply::State::ok);
}

TEST(Worker, DiesWithItsParent) {
    int out[2];
    ASSERT_EQ(pipe(out), 0);
    auto argv = fake::argv("worker"); // names this process, not the child below
    pid_t parent = fork();
    if (parent == 0) {
        Worker w(argv);
        ask(w, "hi");
        pid_t pid = w.pid();
        (void)!write(out[1], &pid, sizeof pid);
        for (;;) pause();
    }
    pid_t pid = 0;
    ASSERT_EQ(read(out[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
    ASSERT_TRUE(alive(pid));
    kill(parent, SIGKILL);
    waitpid(parent, nullptr, 0);
    EXPECT_TRUE(dies(pid));
    close(out[0]), close(out[1]);
}

TEST(Worker, SaysThatAProgramCannotBeStarted) {
    Worker w({"/no/such/program"});
    try {
        w.request({{"cmd", "x"}}, 1);
        FAIL();
    } catch (const ks::Error &e) {
        EXPECT_STREQ(e.what(), "/no/such/program: cannot be started: No such file or directory");
    }
}

} // namespace
