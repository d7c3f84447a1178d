// SPDX-License-Identifier: Apache-2.0
// Which machine code the checks, times and samples of a candidate are of. The hash of the newest code is the
// message of a stage "code"; what is known of other code is kept under a name of its own, identity/hash.
#include "autotune/store.h"

namespace ks::tune {

namespace {

constexpr const char *stage = "code";

} // namespace

std::string Store::code(const std::string &candidate) const {
    auto known = outcome(candidate, 0, stage, "");
    return known ? known->message : "";
}

// A candidate of another compiler, which is never asked for.
std::string Store::other(const std::string &candidate, const std::string &code) {
    std::string name = candidate + "/" + code;
    Statement s(*database_,
                "INSERT OR IGNORE INTO candidate(id, op, op_version, spec, isa, knobs, compiler, json) "
                "SELECT ?, op, op_version, spec, isa, knobs, compiler || ', code ' || ?, json "
                "FROM candidate WHERE id=?");
    s << name << code << candidate;
    s.run();
    return name;
}

// All but builds, which are nobody's but their candidate's.
void Store::rename(const std::string &from, const std::string &to) {
    for (const char *sql : {"UPDATE stage SET candidate=? WHERE candidate=? AND environment<>0",
                            "UPDATE sample SET candidate=? WHERE candidate=?"}) {
        Statement s(*database_, sql);
        s << to << from;
        s.run();
    }
}

// Outcomes of other builders go: for them this has to be built again before anything is known of their code.
// What was measured before codes were recorded may be of any code; it stays.
void Store::built(const std::string &candidate, const std::string &code) {
    Transaction t(*database_);
    Statement s(*database_, "DELETE FROM stage WHERE candidate=? AND stage='build'");
    s << candidate;
    s.run();
    std::string before = this->code(candidate);
    if (!before.empty() && before != code) {
        rename(candidate, other(candidate, before));
        rename(candidate + "/" + code, candidate);
    }
    if (!before.empty() || code != no_code) end(candidate, 0, stage, "", {State::ok, code, 0});
    t.commit();
}

std::string Store::name_of(const std::string &candidate, const std::string &code) {
    std::string newest = this->code(candidate);
    if (newest.empty()) end(candidate, 0, stage, "", {State::ok, code, 0});
    return newest.empty() || newest == code ? candidate : other(candidate, code);
}

} // namespace ks::tune
