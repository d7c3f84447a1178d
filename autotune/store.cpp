// SPDX-License-Identifier: Apache-2.0
#include "autotune/store.h"
#include "autotune/kit/environment.h"
#include "runtime/base/error.h"
#include <algorithm>
#include <chrono>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <thread>
#include <unistd.h>

namespace ks::tune {

namespace {

constexpr int lock_tries = 200;                          // of 10 ms
constexpr int64_t application = 0x4b534e4b, version = 2; // "KSNK"

// Version 1 timed calls between guard pages, which some kernels are slowed down by many times, and checked
// them whole alone. Its samples stay, as those of another device.
constexpr const char *from_version_1 = R"sql(
UPDATE environment SET device = device || ' (between guard pages)';
PRAGMA user_version=2;
)sql";

constexpr const char *schema = R"sql(
CREATE TABLE environment(id INTEGER PRIMARY KEY, device TEXT NOT NULL, isa TEXT NOT NULL, compiler TEXT NOT NULL,
    op TEXT NOT NULL, op_version INTEGER NOT NULL, UNIQUE(device, isa, compiler, op, op_version));
CREATE TABLE candidate(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, op TEXT NOT NULL, op_version INTEGER NOT NULL,
    spec TEXT NOT NULL, isa TEXT NOT NULL, knobs TEXT NOT NULL, compiler TEXT NOT NULL, json TEXT NOT NULL);
CREATE TABLE stage(candidate TEXT NOT NULL REFERENCES candidate(id), environment INTEGER NOT NULL, stage TEXT NOT NULL,
    subject TEXT NOT NULL, state TEXT NOT NULL, message TEXT NOT NULL, seconds REAL NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY(candidate, environment, stage, subject)) WITHOUT ROWID;
CREATE TABLE batch(id INTEGER PRIMARY KEY, environment INTEGER NOT NULL REFERENCES environment(id), shape TEXT NOT NULL,
    role TEXT NOT NULL CHECK(role IN ('search', 'final')), at TEXT NOT NULL);
CREATE TABLE sample(batch INTEGER NOT NULL REFERENCES batch(id), candidate TEXT NOT NULL REFERENCES candidate(id),
    round INTEGER NOT NULL, seconds REAL NOT NULL, PRIMARY KEY(batch, candidate, round)) WITHOUT ROWID;
CREATE INDEX batch_of ON batch(environment, shape, role);
CREATE INDEX sample_of ON sample(candidate);
)sql";

} // namespace

// The lock file, not SQLite's own lock: it is held between transactions too, and the kernel drops it at kill
// -9. A worker that was just being forked when its tuner was killed holds it a moment longer, hence the
// patience.
void Store::lock(const std::string &path) {
    std::string file = path + ".lock";
    lock_ = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock_ < 0) throw Error(file, "cannot be created");
    for (int tries = 0; tries < lock_tries; tries++) {
        if (flock(lock_, LOCK_EX | LOCK_NB) == 0) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    close(lock_);
    lock_ = -1;
    throw Error(path, "another tuner is writing to it");
}

Store::Store(const std::string &path, Mode mode) {
    if (mode == Mode::write) lock(path);
    try {
        database_.emplace(path, mode == Mode::write);
        open_schema(mode);
    } catch (...) {
        if (lock_ >= 0) close(lock_);
        throw;
    }
}

Store::~Store() {
    database_.reset();
    if (lock_ >= 0) close(lock_);
}

void Store::open_schema(Mode mode) {
    auto number = [&](const char *pragma) {
        Statement s(*database_, pragma);
        return s.step() ? s.integer(0) : 0;
    };
    bool empty = number("SELECT count(*) FROM sqlite_master") == 0;
    if (empty && mode == Mode::write) {
        database_->run("PRAGMA journal_mode=WAL");
        Transaction t(*database_);
        database_->run(schema);
        database_->run(fmt::format("PRAGMA application_id={}; PRAGMA user_version={}", application, version));
        t.commit();
    }
    if (number("PRAGMA application_id") != application)
        throw Error(database_->path(), "is not a store of the tuner");
    if (mode == Mode::write && number("PRAGMA user_version") == 1) {
        Transaction t(*database_);
        database_->run(from_version_1);
        t.commit();
    }
    if (int64_t found = number("PRAGMA user_version"); found != version)
        throw Error(database_->path(), fmt::format("has version {}, this program reads {}", found, version));
    Statement check(*database_, "PRAGMA quick_check(1)");
    if (!check.step() || check.text(0) != "ok")
        throw Error(database_->path(), "is damaged: " + check.text(0));
    database_->run("PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON");
}

int64_t Store::environment(const Environment &e) {
    Statement add(*database_, "INSERT OR IGNORE INTO environment(device, isa, compiler, op, op_version) "
                              "VALUES(?,?,?,?,?)");
    add << e.device << e.isa << e.compiler << e.op << e.op_version;
    add.run();
    Statement s(
        *database_,
        "SELECT id FROM environment WHERE device=? AND isa=? AND compiler=? AND op=? AND op_version=?");
    s << e.device << e.isa << e.compiler << e.op << e.op_version;
    if (!s.step()) throw Error(database_->path(), "lost an environment");
    return s.integer(0);
}

std::vector<std::pair<int64_t, Environment>> Store::environments() const {
    Statement s(*database_, "SELECT id, device, isa, compiler, op, op_version FROM environment ORDER BY id");
    std::vector<std::pair<int64_t, Environment>> all;
    while (s.step())
        all.emplace_back(s.integer(0), Environment{s.text(1), s.text(2), s.text(3), s.text(4),
                                                   static_cast<int>(s.integer(5))});
    return all;
}

std::string Store::candidate(const Candidate &c, const Versions &versions) {
    std::string id = identity(c, versions);
    Statement add(*database_,
                  "INSERT OR IGNORE INTO candidate(id, op, op_version, spec, isa, knobs, compiler, json) "
                  "VALUES(?,?,?,?,?,?,?,?)");
    add << id << c.op << versions.op << c.spec.text() << c.isa << c.knobs.text() << versions.compiler
        << to_json(c).dump();
    add.run();
    Statement s(*database_, "SELECT json FROM candidate WHERE id=?");
    s << id;
    if (!s.step() || s.text(0) != to_json(c).dump())
        throw Error(database_->path(), "two candidates share the identity " + id);
    return id;
}

void Store::begin(const std::string &candidate, int64_t environment, const std::string &stage,
                  const std::string &subject) {
    end(candidate, environment, stage, subject, {State::running, "", 0});
}

void Store::end(const std::string &candidate, int64_t environment, const std::string &stage,
                const std::string &subject, const Outcome &o) {
    Statement s(*database_, "INSERT OR REPLACE INTO stage VALUES(?,?,?,?,?,?,?,?)");
    s << candidate << environment << stage << subject << state_name(o.state) << o.message << o.seconds
      << utc_now();
    s.run();
}

std::optional<Outcome> Store::outcome(const std::string &candidate, int64_t environment,
                                      const std::string &stage, const std::string &subject) const {
    Statement s(*database_, "SELECT state, message, seconds FROM stage "
                            "WHERE candidate=? AND environment=? AND stage=? AND subject=?");
    s << candidate << environment << stage << subject;
    if (!s.step()) return {};
    Outcome o{state_named(s.text(0)), s.text(1), s.real(2)};
    if (o.state == State::running) return {};
    return o;
}

bool Store::running(const std::string &candidate, int64_t environment, const std::string &stage,
                    const std::string &subject) const {
    Statement s(*database_,
                "SELECT 1 FROM stage WHERE candidate=? AND environment=? AND stage=? AND subject=? "
                "AND state='running'");
    s << candidate << environment << stage << subject;
    return s.step();
}

int Store::interrupted() const {
    Statement s(*database_, "SELECT count(*) FROM stage WHERE state='running'");
    return s.step() ? static_cast<int>(s.integer(0)) : 0;
}

int Store::forget(State state) {
    Statement s(*database_, "DELETE FROM stage WHERE state=? RETURNING 1");
    s << state_name(state);
    int count = 0;
    while (s.step()) count++;
    return count;
}

int64_t Store::add(const std::vector<std::string> &candidates, int64_t environment, const std::string &shape,
                   const std::string &role, const std::vector<std::vector<double>> &seconds) {
    Transaction t(*database_);
    Statement batch(*database_, "INSERT INTO batch(environment, shape, role, at) VALUES(?,?,?,?)");
    batch << environment << shape << role << utc_now();
    batch.run();
    int64_t id = database_->last_row();
    Statement sample(*database_, "INSERT INTO sample VALUES(?,?,?,?)");
    for (size_t i = 0; i < candidates.size(); i++)
        for (size_t round = 0; round < seconds[i].size(); round++) {
            sample << id << candidates[i] << static_cast<int>(round) << seconds[i][round];
            sample.run();
        }
    t.commit();
    return id;
}

bool Store::has(const std::vector<std::string> &candidates, int64_t environment, const std::string &shape,
                const std::string &role, const std::vector<std::vector<double>> &seconds) const {
    std::map<int64_t, std::map<std::string, std::vector<double>>> batches;
    for (const Sample &s : samples(environment))
        if (s.shape == shape && s.role == role) batches[s.batch][s.candidate].push_back(s.seconds);
    std::map<std::string, std::vector<double>> wanted;
    for (size_t i = 0; i < candidates.size(); i++) wanted[candidates[i]] = seconds[i];
    return std::any_of(batches.begin(), batches.end(), [&](auto &b) { return b.second == wanted; });
}

std::vector<Sample> Store::samples(int64_t environment) const {
    Statement s(*database_,
                "SELECT candidate, shape, role, batch, round, seconds, at FROM sample "
                "JOIN batch ON batch.id=batch WHERE environment=? ORDER BY batch, round, candidate");
    s << environment;
    std::vector<Sample> all;
    while (s.step())
        all.push_back({s.text(0), s.text(1), s.text(2), s.integer(3), static_cast<int>(s.integer(4)),
                       s.real(5), s.text(6)});
    return all;
}

std::vector<double> Store::search_seconds(const std::string &candidate, int64_t environment,
                                          const std::string &shape) const {
    Statement s(*database_, "SELECT seconds FROM sample JOIN batch ON batch.id=batch WHERE candidate=? "
                            "AND environment=? AND shape=? AND role='search' ORDER BY batch, round");
    s << candidate << environment << shape;
    std::vector<double> seconds;
    while (s.step()) seconds.push_back(s.real(0));
    return seconds;
}

std::optional<std::vector<std::vector<double>>>
Store::final_seconds(const std::vector<std::string> &candidates, int64_t environment,
                     const std::string &shape) const {
    Statement batches(*database_, "SELECT id FROM batch WHERE environment=? AND shape=? AND role='final' "
                                  "ORDER BY id DESC");
    batches << environment << shape;
    while (batches.step()) {
        Statement s(*database_,
                    "SELECT candidate, seconds FROM sample WHERE batch=? ORDER BY round, candidate");
        s << batches.integer(0);
        std::map<std::string, std::vector<double>> by;
        while (s.step()) by[s.text(0)].push_back(s.real(1));
        bool same = by.size() == candidates.size() &&
                    std::all_of(candidates.begin(), candidates.end(), [&](auto &c) { return by.count(c); });
        if (!same) continue;
        std::vector<std::vector<double>> seconds;
        for (const auto &c : candidates) seconds.push_back(by[c]);
        return seconds;
    }
    return {};
}

std::vector<Candidate> Store::candidates(const Environment &e) const {
    Statement s(*database_, "SELECT json FROM candidate WHERE op=? AND op_version=? AND isa=? AND compiler=? "
                            "ORDER BY number");
    s << e.op << e.op_version << e.isa << e.compiler;
    std::vector<Candidate> all;
    while (s.step()) all.push_back(candidate_from_json(json::parse(s.text(0))));
    return all;
}

} // namespace ks::tune
