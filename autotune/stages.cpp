// SPDX-License-Identifier: Apache-2.0
#include "autotune/stages.h"
#include "runtime/base/error.h"
#include <cmath>

namespace ks::tune {

namespace {

constexpr const char *names[] = {"running", "ok", "failed", "wrong", "timeout", "crash", "garbage"};

// The samples, when they are what was asked for: positive finite seconds, one per candidate and round.
bool read_seconds(const json &answer, size_t candidates, size_t rounds,
                  std::vector<std::vector<double>> &out) {
    auto table = answer.find("seconds");
    if (table == answer.end() || !table->is_array() || table->size() != candidates) return false;
    for (const auto &row : *table) {
        if (!row.is_array() || row.size() != rounds) return false;
        out.emplace_back();
        for (const auto &value : row) {
            if (!value.is_number() || !std::isfinite(value.get<double>()) || value.get<double>() <= 0)
                return false;
            out.back().push_back(value.get<double>());
        }
    }
    return true;
}

} // namespace

const char *state_name(State state) { return names[static_cast<int>(state)]; }

State state_named(const std::string &name) {
    for (int i = 0; i < static_cast<int>(std::size(names)); i++)
        if (name == names[i]) return static_cast<State>(i);
    throw Error("state " + name, "is none of the tuner's");
}

Outcome outcome_of(const Reply &reply, State refused) {
    Outcome o{State::ok, reply.cause, reply.seconds};
    if (reply.state == Reply::State::timeout) o.state = State::timeout;
    if (reply.state == Reply::State::crash) o.state = State::crash;
    if (reply.state == Reply::State::garbage) o.state = State::garbage;
    if (o.state != State::ok) return o;
    auto ok = reply.answer.find("ok");
    if (ok == reply.answer.end() || !ok->is_boolean())
        return {State::garbage, "answered without \"ok\"", o.seconds};
    if (*ok) return o;
    o.state = refused;
    auto error = reply.answer.find("error");
    o.message =
        error != reply.answer.end() && error->is_string() ? error->get<std::string>() : "no cause given";
    return o;
}

Outcome WorkerBuilder::build(const Candidate &candidate, const std::string &path, double seconds) {
    Worker worker(argv_);
    return outcome_of(
        worker.request({{"cmd", "build"}, {"candidate", to_json(candidate)}, {"out", path}}, seconds),
        State::failed);
}

Outcome WorkerMeter::check(const Built &built, const Dims &shape) {
    Reply reply = worker_.request({{"cmd", "check"},
                                   {"candidate", to_json(built.candidate)},
                                   {"artefact", built.artefact},
                                   {"shape", shape}},
                                  check_deadline_);
    Outcome o = outcome_of(reply, State::wrong);
    if (o.state != State::ok) worker_.stop();
    return o;
}

Timing WorkerMeter::time(const std::vector<Built> &built, const Dims &shape, int rounds) {
    json list = json::array();
    for (const auto &b : built)
        list.push_back({{"candidate", to_json(b.candidate)}, {"artefact", b.artefact}});
    Reply reply = worker_.request(
        {{"cmd", "time"}, {"shape", shape}, {"rounds", rounds}, {"candidates", list}}, time_deadline_);
    Timing t{outcome_of(reply, State::failed), {}};
    if (t.outcome.state == State::ok &&
        !read_seconds(reply.answer, built.size(), static_cast<size_t>(rounds), t.seconds))
        t.outcome = {State::garbage, "answered without one positive time per candidate and round",
                     reply.seconds};
    if (t.outcome.state != State::ok) t.seconds.clear(), worker_.stop();
    return t;
}

} // namespace ks::tune
