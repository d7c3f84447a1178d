// SPDX-License-Identifier: Apache-2.0
#include "autotune/store.h"
#include "runtime/base/error.h"
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace ks::tune;

namespace {

class StoreTest : public testing::Test {
  protected:
    void SetUp() override {
        folder = std::filesystem::path(testing::TempDir()) / ("ks_store" + std::to_string(getpid()));
        std::filesystem::remove_all(folder);
        std::filesystem::create_directories(folder);
        path = (folder / "store.db").string();
    }
    void TearDown() override { std::filesystem::remove_all(folder); }

    Candidate candidate(const std::string &group) const {
        return {"scan",
                {{{"io", "f32"}}, {{"N", 16}}},
                "avx2",
                ks::Knobs(std::map<std::string, std::string>{{"group", group}})};
    }
    void expect_error(const std::string &cause, Store::Mode mode = Store::Mode::write) const {
        try {
            Store s(path, mode);
            FAIL() << "opened";
        } catch (const ks::Error &e) {
            EXPECT_NE(std::string(e.what()).find(cause), std::string::npos) << e.what();
            EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
            EXPECT_EQ(std::string(e.what()).rfind(path, 0), 0u) << e.what();
        }
    }

    std::filesystem::path folder;
    std::string path;
    Versions versions{2, "halide 21, llvm 19"};
    Environment here{"cpu", "avx2", "halide 21, llvm 19", "scan", 2};
};

// As version 1 left it, whose times are not comparable.
TEST_F(StoreTest, SamplesOfTheFirstVersionStayButAreNotMixedWithNewOnes) {
    std::string a;
    {
        Store s(path);
        a = s.candidate(candidate("2"), versions);
        s.end(a, 0, "build", "", {});
        s.end(a, s.environment(here), "check", "T=1", {});
        s.add({a}, s.environment(here), "T=64", "search", {{1.0, 2.0}});
    }
    Database(path, true).run("PRAGMA user_version=1");
    expect_error("has version 1, this program reads 2", Store::Mode::read);
    for (int open = 0; open < 2; open++) { // the second time there is nothing to do
        Store s(path);
        EXPECT_TRUE(s.outcome(a, 0, "build", ""));
        EXPECT_FALSE(s.outcome(a, s.environment(here), "check", "T=1"));
        EXPECT_TRUE(s.search_seconds(a, s.environment(here), "T=64").empty());
        auto all = s.environments();
        ASSERT_EQ(all.size(), 2u);
        EXPECT_EQ(all[0].second.device, "cpu (between guard pages)");
        EXPECT_EQ(s.samples(all[0].first).size(), 2u);
    }
}

TEST_F(StoreTest, KeepsEverythingOverReopening) {
    {
        Store s(path);
        int64_t env = s.environment(here);
        std::string a = s.candidate(candidate("2"), versions), b = s.candidate(candidate("4"), versions);
        EXPECT_NE(a, b);
        s.end(a, env, "check", "T=1", {State::wrong, "wrong at T=1", 0.5});
        s.add({a}, env, "T=64", "search", {{1.0, 2.0}});
        s.add({a}, env, "T=64", "search", {{4.0}}); // a repeat is kept beside the first
        s.add({a, b}, env, "T=64", "final", {{3.0, 3.5}, {5.0, 5.5}});
    }
    Store s(path);
    int64_t env = s.environment(here);
    EXPECT_EQ(env, 1);
    std::string a = identity(candidate("2"), versions), b = identity(candidate("4"), versions);
    auto o = s.outcome(a, env, "check", "T=1");
    ASSERT_TRUE(o);
    EXPECT_EQ(o->state, State::wrong);
    EXPECT_EQ(o->message, "wrong at T=1");
    EXPECT_EQ(o->seconds, 0.5);
    EXPECT_FALSE(s.outcome(a, env, "check", "T=2"));
    EXPECT_FALSE(s.outcome(b, env, "check", "T=1"));
    EXPECT_EQ(s.search_seconds(a, env, "T=64"), (std::vector<double>{1, 2, 4}));
    EXPECT_EQ(s.samples(env).size(), 7u);
    auto f = s.final_seconds({b, a}, env, "T=64");
    ASSERT_TRUE(f);
    EXPECT_EQ(*f, (std::vector<std::vector<double>>{{5, 5.5}, {3, 3.5}}));
    EXPECT_FALSE(s.final_seconds({a}, env, "T=64"));
    auto list = s.candidates(here);
    ASSERT_EQ(list.size(), 2u);
    EXPECT_EQ(list[0].text(), candidate("2").text());
}

TEST_F(StoreTest, WhatOtherCodeTookDecidesNothingUntilThatCodeIsBack) {
    Store s(path);
    int64_t env = s.environment(here);
    std::string a = s.candidate(candidate("2"), versions), b = s.candidate(candidate("4"), versions);
    s.add({a}, env, "T=64", "search", {{1.0}});
    s.built(a, "code1"), s.end(a, 0, "build", "builder1", {}); // samples of a code that was not recorded stay
    s.built(b, "code1"), s.end(b, 0, "build", "builder1", {});
    s.end(a, env, "check", "T=1", {});
    s.add({a, b}, env, "T=64", "final", {{2.0}, {3.0}});
    s.built(a, "code1"), s.end(a, 0, "build", "builder2", {});
    EXPECT_FALSE(s.outcome(a, 0, "build", "builder1")) << "by whom it has to be built again";
    EXPECT_TRUE(s.outcome(b, 0, "build", "builder1"));
    EXPECT_EQ(s.search_seconds(a, env, "T=64"), std::vector<double>{1});
    EXPECT_TRUE(s.outcome(a, env, "check", "T=1"));

    s.built(a, "code2");
    EXPECT_FALSE(s.outcome(a, env, "check", "T=1"));
    EXPECT_TRUE(s.search_seconds(a, env, "T=64").empty());
    EXPECT_FALSE(s.final_seconds({a, b}, env, "T=64"));
    EXPECT_EQ(s.samples(env).size(), 3u) << "none is thrown away";
    EXPECT_EQ(s.candidates(here).size(), 2u);
    s.add({a}, env, "T=64", "search", {{9.0}});

    s.built(a, "code1");
    EXPECT_TRUE(s.outcome(a, env, "check", "T=1"));
    EXPECT_EQ(s.search_seconds(a, env, "T=64"), std::vector<double>{1});
    EXPECT_TRUE(s.final_seconds({a, b}, env, "T=64"));
    s.built(a, "code2");
    EXPECT_EQ(s.search_seconds(a, env, "T=64"), std::vector<double>{9});
}

TEST_F(StoreTest, SamplesOfNoRecordedCodeStay) {
    Store s(path);
    int64_t env = s.environment(here);
    std::string a = s.candidate(candidate("2"), versions);
    s.add({a}, env, "T=64", "search", {{1.0}});
    s.built(a, Store::no_code);
    s.built(a, "code1");
    EXPECT_EQ(s.search_seconds(a, env, "T=64"), std::vector<double>{1});
    EXPECT_EQ(s.name_of(a, "code1"), a);
    std::string other = s.name_of(a, "code2");
    EXPECT_NE(other, a);
    s.add({other}, env, "T=64", "search", {{2.0}});
    s.built(a, Store::no_code);
    EXPECT_TRUE(s.search_seconds(a, env, "T=64").empty());
    EXPECT_EQ(s.name_of(a, "code2"), other);
    s.built(a, "code2");
    EXPECT_EQ(s.search_seconds(a, env, "T=64"), std::vector<double>{2});
}

TEST_F(StoreTest, AStageLeftRunningIsNotDone) {
    Store s(path);
    std::string a = s.candidate(candidate("2"), versions);
    s.begin(a, 0, "build", "");
    EXPECT_FALSE(s.outcome(a, 0, "build", ""));
    EXPECT_EQ(s.interrupted(), 1);
    s.end(a, 0, "build", "", {State::timeout, "no answer", 9});
    EXPECT_EQ(s.interrupted(), 0);
    EXPECT_EQ(s.outcome(a, 0, "build", "")->state, State::timeout);
    EXPECT_EQ(s.forget(State::crash), 0);
    EXPECT_EQ(s.forget(State::timeout), 1);
    EXPECT_FALSE(s.outcome(a, 0, "build", ""));
}

TEST_F(StoreTest, EveryFieldOfTheEnvironmentSeparates) {
    Store s(path);
    int64_t env = s.environment(here);
    EXPECT_EQ(s.environment(here), env);
    std::vector<Environment> others(5, here);
    others[0].device = "gpu";
    others[1].isa = "avx512";
    others[2].compiler = "halide 22";
    others[3].op_version = 3;
    others[4].op = "conv";
    for (const Environment &e : others) EXPECT_NE(s.environment(e), env);
}

TEST_F(StoreTest, OneWriterManyReaders) {
    Store s(path);
    s.candidate(candidate("2"), versions);
    expect_error("another tuner is writing to it");
    Store reader(path, Store::Mode::read);
    EXPECT_EQ(reader.candidates(here).size(), 1u);
    s.candidate(candidate("4"), versions);
    EXPECT_EQ(reader.candidates(here).size(), 2u);
}

TEST_F(StoreTest, AKilledWriterFreesTheStoreAndLosesNothingCommitted) {
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        Store s(path);
        int64_t env = s.environment(here);
        std::string a = s.candidate(candidate("2"), versions);
        s.add({a}, env, "T=1", "search", {{1.0}});
        (void)!write(ready[1], "x", 1);
        for (;;) s.add({a}, env, "T=2", "search", {{1.0, 2.0, 3.0}});
    }
    char x;
    ASSERT_EQ(read(ready[0], &x, 1), 1);
    usleep(20000);
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    close(ready[0]), close(ready[1]);
    Store s(path);
    std::string a = identity(candidate("2"), versions);
    EXPECT_EQ(s.search_seconds(a, 1, "T=1"), (std::vector<double>{1}));
    EXPECT_EQ(s.search_seconds(a, 1, "T=2").size() % 3, 0u); // batches are whole or absent
}

TEST_F(StoreTest, ForeignAndDamagedFilesAreOneLineErrors) {
    std::ofstream(path)
        << "this is no database, but long enough to be looked at as one, so it must be refused";
    expect_error("not a database");
    std::filesystem::remove(path);
    {
        Database other(path, true);
        other.run("CREATE TABLE t(x)");
    }
    expect_error("is not a store of the tuner");
    std::filesystem::remove(path);
    { Store s(path); }
    {
        Database d(path, true);
        d.run("PRAGMA user_version=9");
    }
    expect_error("has version 9, this program reads 2");
    std::filesystem::remove(path);
    expect_error("unable to open", Store::Mode::read);
}

TEST_F(StoreTest, DamageInTheMiddleIsFoundOrRead) {
    {
        Store s(path);
        int64_t env = s.environment(here);
        for (int i = 0; i < 500; i++)
            s.add({s.candidate(candidate(std::to_string(i)), versions)}, env, "T=1", "search", {{1.0}});
    }
    auto size = std::filesystem::file_size(path);
    std::filesystem::resize_file(path, size / 2);
    expect_error("");
}

TEST_F(StoreTest, AHundredThousandSamplesOpenQuickly) {
    {
        Store s(path);
        int64_t env = s.environment(here);
        for (int i = 0; i < 100; i++)
            s.add({s.candidate(candidate(std::to_string(i)), versions)}, env, "T=1", "search",
                  {std::vector<double>(1000, 1.0)});
    }
    auto begin = std::chrono::steady_clock::now();
    Store s(path);
    EXPECT_EQ(s.search_seconds(identity(candidate("7"), versions), 1, "T=1").size(), 1000u);
    EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
              1.0); // 0.2 s when idle
}

} // namespace
