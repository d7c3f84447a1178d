// SPDX-License-Identifier: Apache-2.0
#include "autotune/import.h"
#include "autotune/measure.h"
#include "runtime/base/error.h"
#include <algorithm>
#include <fmt/format.h>

namespace ks::tune {

namespace {

using Samples = std::map<std::string, std::vector<double>>; // by candidate, round by round

// Whether the file says nothing that the kit cannot have said.
void check_whole(const Results &r, const std::string &source, const Manifest &kit) {
    if (r.runs.empty()) throw Error(source, "has no results");
    std::map<std::string, const KitTask *> home;
    for (const KitTask &t : kit.tasks)
        for (const KitCandidate &c : t.candidates) {
            home[c.id] = &t;
            if (identity(t.candidate(c.knobs), {t.op_version, kit.compiler}) != c.id)
                throw Error(source, "the kit's candidate " + c.id + " is not what it says");
        }
    std::map<std::string, std::string> devices;
    for (const RunRecord &run : r.runs) {
        if (run.kit != kit.id()) throw Error(source, "holds results of another kit (" + run.kit + ")");
        for (const auto &[isa, device] : run.devices)
            if (devices.emplace(isa, device).first->second != device)
                throw Error(source, "holds results of several devices for " + isa);
    }
    auto shape_of = [&](const KitTask &t, const std::string &shape) {
        std::vector<Dims> all = all_shapes(t);
        if (std::none_of(all.begin(), all.end(), [&](auto &d) { return dims_text(d) == shape; }))
            throw Error(source, "the kit does not measure " + t.text() + " at " + shape);
        if (!devices.count(t.isa)) throw Error(source, "names no device for " + t.isa);
    };
    for (const auto &[key, s] : r.stages) {
        if (!home.count(s.candidate)) throw Error(source, "candidate " + s.candidate + " is not in the kit");
        shape_of(*home.at(s.candidate), s.shape);
    }
    for (const auto &[key, round] : r.rounds) {
        if (round.task >= kit.tasks.size())
            throw Error(source, fmt::format("the kit has no task {}", round.task));
        shape_of(kit.tasks[round.task], round.shape);
        for (const auto &[id, seconds] : round.seconds)
            if (!home.count(id) || home.at(id) != &kit.tasks[round.task])
                throw Error(source, "candidate " + id + " is not in the kit's task");
    }
}

constexpr double least_clock = 0.75; // of the median

// The rounds of one kind, those with a slow clock left out and counted.
std::vector<const RoundRecord *> rounds_of(const Results &r, size_t task, const std::string &shape,
                                           const std::string &role, Caches caches, int rounds, size_t &slow) {
    std::vector<const RoundRecord *> all, kept;
    std::vector<double> clocks;
    for (int i = 0; i < rounds; i++)
        if (auto at = r.rounds.find({task, shape, role, caches, i}); at != r.rounds.end())
            all.push_back(&at->second), clocks.push_back(at->second.ghz);
    double least = least_clock * median(clocks);
    for (const RoundRecord *round : all)
        if (round->ghz >= least) kept.push_back(round);
    slow += all.size() - kept.size();
    return kept;
}

// Of the candidates that took part in every one of these.
Samples samples_of(const std::vector<const RoundRecord *> &rounds) {
    Samples all;
    for (const RoundRecord *round : rounds)
        for (const auto &[id, seconds] : round->seconds) all[id].push_back(seconds);
    for (auto at = all.begin(); at != all.end();)
        at = at->second.size() < rounds.size() ? all.erase(at) : std::next(at);
    return all;
}

class TaskImport {
  public:
    TaskImport(const Results &results, const Manifest &kit, size_t number, const std::string &device,
               Store &store, ImportSummary &sum)
        : results_(results),
          kit_(kit),
          number_(number),
          task_(kit.tasks[number]),
          store_(store),
          sum_(sum),
          versions_{task_.op_version, kit.compiler},
          key_(store.environment({device, task_.isa, kit.compiler, task_.op, task_.op_version})) {}

    void run() {
        std::map<std::string, std::string> codes;
        for (const KitCandidate &c : task_.candidates)
            codes[c.id] = c.code, names_[c.id] = {add(c.knobs, c.code)};
        for (const KitTwin &t : task_.twins) names_[t.same_as].push_back(add(t.knobs, codes.at(t.same_as)));
        for (const KitCandidate &c : task_.candidates) outcomes(c.id);
        for (const Dims &d : task_.shapes) {
            std::string shape = dims_text(d);
            Caches decides = deciding(task_.spec, d);
            auto rounds = [&](const char *role, int number) {
                return samples_of(
                    rounds_of(results_, number_, shape, role, decides, number, sum_.slow_rounds));
            };
            search_batch(rounds("search", kit_.search_rounds), shape);
            Samples finals = rounds("final", kit_.final_rounds);
            if (finals.count(task_.candidates[0].id)) final_batch(finals, shape);
        }
    }

  private:
    // What was measured is of the kit's code, whatever has been built since.
    std::string add(const Knobs &knobs, const std::string &code) {
        std::string id = store_.candidate(task_.candidate(knobs), versions_), name = store_.name_of(id, code);
        sum_.other_code += name != id;
        return name;
    }

    // The stages that ended, of the candidate and of its twins.
    void outcomes(const std::string &id) {
        bool any = false, lost = false;
        for (const Dims &d : all_shapes(task_))
            for (const char *stage : {"check", "time", "final"})
                if (const StageRecord *s = results_.stage(id, stage, dims_text(d))) {
                    any = true, lost |= s->outcome.state != State::ok;
                    const char *name = std::string("check") == stage ? "check" : "time";
                    for (const std::string &twin : names_[id])
                        store_.end(twin, key_, name, s->shape, s->outcome);
                }
        sum_.candidates += any, sum_.lost += lost;
    }

    void search_batch(const Samples &samples, const std::string &shape) {
        Samples with_twins;
        for (const auto &[id, seconds] : samples)
            for (const std::string &twin : names_[id]) {
                with_twins[twin] = seconds;
                if (store_.outcome(twin, key_, "time", shape)) continue;
                double sum = 0;
                for (double s : seconds) sum += s;
                store_.end(twin, key_, "time", shape, {State::ok, "", sum});
            }
        batch(with_twins, shape, "search");
    }

    void final_batch(const Samples &samples, const std::string &shape) {
        Samples named;
        for (const auto &[id, seconds] : samples) named[names_[id][0]] = seconds;
        batch(named, shape, "final");
    }

    void batch(const Samples &samples, const std::string &shape, const std::string &role) {
        std::vector<std::string> ids;
        std::vector<std::vector<double>> seconds;
        for (const auto &[id, s] : samples) ids.push_back(id), seconds.push_back(s);
        if (ids.empty()) return;
        bool known = store_.has(ids, key_, shape, role, seconds);
        (known ? sum_.known : sum_.batches)++;
        if (!known) store_.add(ids, key_, shape, role, seconds);
    }

    const Results &results_;
    const Manifest &kit_;
    size_t number_;
    const KitTask &task_;
    Store &store_;
    ImportSummary &sum_;
    Versions versions_;
    int64_t key_;
    std::map<std::string, std::vector<std::string>> names_; // a candidate and its twins
};

std::string time_text(const std::vector<double> &samples) {
    if (samples.empty()) return "not measured";
    double middle = median(samples), spread = 100 * deviation(samples) / middle;
    std::string time =
        middle < 1e-3 ? fmt::format("{:.2f} us", middle * 1e6) : fmt::format("{:.3f} ms", middle * 1e3);
    return fmt::format("{} ±{:.1f} %", time, spread);
}

} // namespace

ImportSummary import_results(const Results &results, const std::string &source, const Manifest &kit,
                             Store &store) {
    check_whole(results, source, kit);
    ImportSummary sum;
    for (size_t i = 0; i < kit.tasks.size(); i++)
        for (const RunRecord &run : results.runs) {
            auto device = run.devices.find(kit.tasks[i].isa);
            if (device == run.devices.end()) continue;
            sum.devices.insert(device->second);
            TaskImport(results, kit, i, device->second, store, sum).run();
            break;
        }
    return sum;
}

std::string figures(const Results &results, const Manifest &kit) {
    std::string text;
    size_t slow = 0;
    for (size_t i = 0; i < kit.tasks.size(); i++)
        for (const Dims &d : kit.tasks[i].shapes) {
            const KitTask &t = kit.tasks[i];
            Caches decides = deciding(t.spec, d);
            std::map<Caches, Samples> by;
            for (Caches c : {Caches::warm, Caches::cold})
                by[c] = samples_of(rounds_of(results, i, dims_text(d), "final", c, kit.final_rounds, slow));
            const KitCandidate *fastest = nullptr;
            auto seconds = [&](const KitCandidate &c) { return median(by[decides][c.id]); };
            for (size_t k = 1; k < t.candidates.size(); k++)
                if (const KitCandidate &c = t.candidates[k];
                    by[decides].count(c.id) && (!fastest || seconds(c) < seconds(*fastest)))
                    fastest = &c;
            for (const KitCandidate *c : {&t.candidates[0], fastest})
                if (c && by[decides].count(c->id))
                    text +=
                        fmt::format("{} {}: {} warm, {} cold, by {}: {}\n", t.text(), dims_text(d),
                                    time_text(by[Caches::warm][c->id]), time_text(by[Caches::cold][c->id]),
                                    name_of(decides), c == fastest ? c->knobs.text() : "default");
        }
    return text;
}

} // namespace ks::tune
