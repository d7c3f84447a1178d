// SPDX-License-Identifier: Apache-2.0
#include "autotune/kit/task_run.h"
#include "autotune/measure.h"
#include <algorithm>
#include <fmt/format.h>

namespace ks::tune {

namespace {

constexpr double prepare_seconds = 600; // the oracle works in double precision, in plain loops
constexpr int fatal_begins = 3;         // a candidate whose checks ended so many runs is not tried again

} // namespace

TaskRun::TaskRun(const Manifest &manifest, size_t number, const MeasureOptions &options, Results &known,
                 ResultsFile &file, std::ostream &log)
    : manifest_(manifest),
      task_(manifest.tasks[number]),
      number_(number),
      options_(options),
      known_(known),
      file_(file),
      log_(log),
      worker_(options.worker) {}

void TaskRun::run() {
    for (size_t i = 0; i < task_.candidates.size(); i++)
        if (checked(i)) alive_.push_back(i);
    for (const Dims &shape : task_.shapes)
        for (int r = 0; r < manifest_.search_rounds; r++)
            round({dims_text(shape), "search", deciding(task_.spec, shape), r}, shape);
    if (default_lost()) return;
    alive_ = finalists();
    for (const Dims &shape : task_.shapes) final_rounds(shape);
}

size_t TaskRun::lost() const {
    size_t count = 0;
    for (size_t i = 0; i < task_.candidates.size(); i++)
        count += failed(i, "check") || failed(i, "time") || failed(i, "final");
    return count;
}

bool TaskRun::default_lost() const { return failed(0, "check") || failed(0, "time") || failed(0, "final"); }

json TaskRun::candidate(size_t i) const { return to_json(task_.candidate(task_.candidates[i].knobs)); }

std::string TaskRun::artefact(size_t i) const { return options_.kit + "/" + task_.candidates[i].file; }

void TaskRun::record(size_t i, const char *stage, const std::string &shape, const Outcome &outcome,
                     double max_error) {
    StageRecord s{id(i), stage, shape, outcome, max_error};
    file_.add(s);
    known_.stages[{s.candidate, s.stage, s.shape}] = s;
    if (outcome.state != State::ok)
        log_ << fmt::format("    lost: {} {}: {}\n", task_.candidates[i].knobs.text(),
                            state_name(outcome.state), outcome.message)
             << std::flush;
}

// Ahead of the candidates, so that none pays for it.
void TaskRun::prepare(json request) {
    request["cmd"] = "prepare", request["candidate"] = candidate(0);
    Outcome o = outcome_of(worker_.request(request, prepare_seconds), State::failed);
    if (o.state == State::ok) return;
    worker_.stop();
    throw Unprepared(dims_text(request["shape"]), "cannot be prepared: " + o.message);
}

// Whether the candidate is right wherever it is checked, and has not failed in search rounds of an earlier
// run.
bool TaskRun::checked(size_t i) {
    double used = 0;
    bool begun = false;
    for (const Dims &shape : all_shapes(task_)) {
        std::string subject = dims_text(shape);
        if (!known_.stage(id(i), "check", subject) && !begun) {
            begun = true;
            if (Outcome o = begin(i); o.state != State::ok) record(i, "check", subject, o);
        }
        if (!known_.stage(id(i), "check", subject)) check(i, shape, used);
        const Outcome &o = known_.stage(id(i), "check", subject)->outcome;
        if (o.state != State::ok) return false;
        used += o.seconds;
    }
    return !failed(i, "time");
}

// A file that is not what was bundled is never loaded.
Outcome TaskRun::begin(size_t i) {
    if (known_.begun[id(i)] >= fatal_begins)
        return {State::crash, fmt::format("ended {} runs", fatal_begins), 0};
    file_.begin(id(i));
    try {
        if (content_hash(file_contents(artefact(i))) == task_.candidates[i].code) return {};
    } catch (const Error &e) {
        return {State::failed, e.what(), 0};
    }
    return {State::failed, task_.candidates[i].file + " is not what was bundled", 0};
}

void TaskRun::check(size_t i, const Dims &shape, double used) {
    Outcome o{State::timeout, fmt::format("its checks took {:.1f} s already", used), 0};
    double max_error = 0;
    if (used < options_.limit) {
        json what = {{"shape", shape}};
        if (std::count(task_.by_default.begin(), task_.by_default.end(), shape))
            what["reference"] = artefact(0);
        prepare(what);
        json request = {
            {"cmd", "check"}, {"candidate", candidate(i)}, {"artefact", artefact(i)}, {"shape", shape}};
        Reply reply = worker_.request(request, options_.limit - used);
        o = outcome_of(reply, State::wrong);
        if (o.state == State::ok)
            max_error = reply.answer.value("max_error", 0.0);
        else
            worker_.stop(); // whose memory a wild write may have hurt
    }
    record(i, "check", dims_text(shape), o, max_error);
}

// A sample of every candidate that is left, unless the results have this round. Those that fail are out.
void TaskRun::round(const Round &r, const Dims &shape) {
    RoundRecord made{number_, r.shape, r.role, r.caches, r.number, 0, {}};
    if (known_.rounds.count(made.key()) || alive_.empty() || default_lost()) return;
    json what = {{"shape", shape}, {"caches", name_of(r.caches)}};
    prepare(what);
    std::vector<size_t> out;
    std::string seed = fmt::format("{} {} {} {}", id(0), r.shape, r.role, r.number);
    for (size_t at : shuffled(alive_.size(), std::stoull(content_hash(seed), nullptr, 16)))
        if (!sample(alive_[at], what, made)) out.push_back(alive_[at]), prepare(what);
    for (size_t i : out) alive_.erase(std::find(alive_.begin(), alive_.end(), i));
    if (made.seconds.empty()) return;
    made.ghz /= static_cast<double>(made.seconds.size());
    file_.add(made);
    known_.rounds[made.key()] = made;
}

bool TaskRun::sample(size_t i, json request, RoundRecord &into) {
    request["cmd"] = "time", request["rounds"] = 1;
    request["candidates"] = {{{"candidate", candidate(i)}, {"artefact", artefact(i)}}};
    Reply reply = worker_.request(request, options_.limit);
    Outcome o = outcome_of(reply, State::failed);
    if (o.state == State::ok) try {
            double seconds = reply.answer.at("seconds").at(0).at(0);
            if (!(seconds > 0)) throw Error("answered with a time that is not positive");
            into.seconds[id(i)] = seconds;
            into.ghz += reply.answer.value("ghz", 0.0);
            return true;
        } catch (const std::exception &e) {
            o = {State::garbage, e.what(), reply.seconds};
        }
    worker_.stop();
    record(i, into.role == "final" ? "final" : "time", into.shape, o);
    return false;
}

// Under the condition that decides and under the other, in turn; the other is left out where there is no
// memory for it.
void TaskRun::final_rounds(const Dims &shape) {
    Caches decides = deciding(task_.spec, shape);
    Caches other = decides == Caches::warm ? Caches::cold : Caches::warm;
    bool both = true;
    for (int r = 0; r < manifest_.final_rounds; r++) {
        round({dims_text(shape), "final", decides, r}, shape);
        if (both) try {
                round({dims_text(shape), "final", other, r}, shape);
            } catch (const Unprepared &e) {
                log_ << fmt::format("    not measured {}: {}\n", name_of(other), e.what()) << std::flush;
                both = false;
            }
    }
}

double TaskRun::seconds(size_t i, const Dims &shape) const {
    std::vector<double> all;
    for (int r = 0; r < manifest_.search_rounds; r++) {
        auto at = known_.rounds.find({number_, dims_text(shape), "search", deciding(task_.spec, shape), r});
        if (at == known_.rounds.end()) continue;
        if (auto mine = at->second.seconds.find(id(i)); mine != at->second.seconds.end())
            all.push_back(mine->second);
    }
    return median(all);
}

// Of those that got through the search rounds, the best that no final round of an earlier run has taken out.
std::vector<size_t> TaskRun::finalists() const {
    std::vector<std::vector<double>> scores;
    for (size_t i : alive_) {
        std::vector<double> ratios, at_shapes;
        for (const Dims &shape : task_.shapes) {
            at_shapes.push_back(seconds(i, shape));
            ratios.push_back(at_shapes.back() / seconds(0, shape));
        }
        scores.push_back({geometric_mean(ratios)});
        scores.back().insert(scores.back().end(), at_shapes.begin(), at_shapes.end());
    }
    std::vector<size_t> chosen;
    for (size_t at : choose_finalists(scores, manifest_.finalists))
        if (!failed(alive_[at], "final")) chosen.push_back(alive_[at]);
    return chosen;
}

bool TaskRun::failed(size_t i, const char *stage) const {
    std::vector<Dims> shapes = all_shapes(task_);
    return std::any_of(shapes.begin(), shapes.end(), [&](const Dims &shape) {
        const StageRecord *s = known_.stage(id(i), stage, dims_text(shape));
        return s && s->outcome.state != State::ok;
    });
}

} // namespace ks::tune
