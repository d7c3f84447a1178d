// SPDX-License-Identifier: Apache-2.0
#include "autotune/kit/measure_kit.h"
#include "autotune/kit/environment.h"
#include "autotune/measure.h"
#include "autotune/workers.h"
#include "runtime/base/cpu.h"
#include "runtime/base/error.h"
#include <algorithm>
#include <fmt/format.h>
#include <unistd.h>

namespace ks::tune {

namespace {

// What calls at a shape need is more than this machine has; no candidate is to blame.
struct Unprepared : Error {
    using Error::Error;
};

constexpr double prepare_seconds = 600; // the oracle works in double precision, in plain loops
constexpr int fatal_begins = 3;         // a candidate whose checks ended so many runs is not tried again

// The candidates of one task, and the worker that has their problems.
class TaskRun {
  public:
    TaskRun(const Manifest &manifest, size_t number, const MeasureOptions &options, Results &known,
            ResultsFile &file, std::ostream &log)
        : manifest_(manifest),
          task_(manifest.tasks[number]),
          number_(number),
          options_(options),
          known_(known),
          file_(file),
          log_(log),
          worker_(options.worker) {}

    // Returns how many candidates failed; the default among them means all.
    size_t run() {
        for (size_t i = 0; i < task_.candidates.size(); i++)
            if (checked(i)) alive_.push_back(i);
        for (const Dims &shape : task_.shapes)
            for (int r = 0; r < manifest_.search_rounds; r++)
                round({dims_text(shape), "search", deciding(task_.spec, shape), r}, shape);
        if (!default_alive()) return task_.candidates.size();
        size_t lost = task_.candidates.size() - alive_.size();
        std::vector<size_t> passed = alive_;
        alive_ = finalists();
        size_t in = alive_.size();
        for (const Dims &shape : task_.shapes) {
            Caches decides = deciding(task_.spec, shape);
            std::vector<Caches> kinds = {decides, decides == Caches::warm ? Caches::cold : Caches::warm};
            for (int r = 0; r < manifest_.final_rounds; r++)
                for (Caches c : kinds) try {
                        round({dims_text(shape), "final", c, r}, shape);
                    } catch (const Unprepared &e) {
                        if (c == decides) throw;
                        log_ << fmt::format("    not measured {}: {}\n", name_of(c), e.what()) << std::flush;
                        kinds = {decides};
                        break;
                    }
        }
        return default_alive() ? lost + in - alive_.size() : task_.candidates.size();
    }

  private:
    struct Round {
        std::string shape, role;
        Caches caches;
        int number;
    };

    bool default_alive() const { return !alive_.empty() && alive_[0] == 0; }
    const std::string &id(size_t i) const { return task_.candidates[i].id; }
    json candidate(size_t i) const { return to_json(task_.candidate(task_.candidates[i].knobs)); }
    std::string artefact(size_t i) const { return options_.kit + "/" + task_.candidates[i].file; }

    void record(size_t i, const char *stage, const std::string &shape, const Outcome &outcome,
                double max_error = 0) {
        StageRecord s{id(i), stage, shape, outcome, max_error};
        file_.add(s);
        known_.stages[{s.candidate, s.stage, s.shape}] = s;
        if (outcome.state != State::ok)
            log_ << fmt::format("    lost: {} {}: {}\n", task_.candidates[i].knobs.text(),
                                state_name(outcome.state), outcome.message)
                 << std::flush;
    }

    // Ahead of the candidates, so that none pays for it.
    void prepare(json request) {
        request["cmd"] = "prepare", request["candidate"] = candidate(0);
        Outcome o = outcome_of(worker_.request(request, prepare_seconds), State::failed);
        if (o.state != State::ok)
            worker_.stop(), throw Unprepared(dims_text(request["shape"]), "cannot be prepared: " + o.message);
    }

    // Whether the candidate is right wherever it is checked; a file that has changed is not loaded at all.
    bool checked(size_t i) {
        double used = 0;
        bool begun = false;
        for (const Dims &shape : all_shapes(task_)) {
            std::string subject = dims_text(shape);
            const StageRecord *s = known_.stage(id(i), "check", subject);
            if (!s) {
                if (!begun && !begin(i, subject)) return false;
                begun = true;
                check(i, shape, used);
                s = known_.stage(id(i), "check", subject);
            }
            used += s->outcome.seconds;
            if (s->outcome.state != State::ok) return false;
        }
        return !lost(i, "time");
    }

    bool begin(size_t i, const std::string &subject) {
        if (known_.begun[id(i)] >= fatal_begins) {
            record(i, "check", subject, {State::crash, fmt::format("ended {} runs", fatal_begins), 0});
            return false;
        }
        file_.begin(id(i));
        if (content_hash(file_contents(artefact(i))) == task_.candidates[i].code) return true;
        record(i, "check", subject,
               {State::failed, task_.candidates[i].file + " is not what was bundled", 0});
        return false;
    }

    void check(size_t i, const Dims &shape, double used) {
        prepare({{"shape", shape}});
        json request = {
            {"cmd", "check"}, {"candidate", candidate(i)}, {"artefact", artefact(i)}, {"shape", shape}};
        Reply reply = worker_.request(request, options_.limit - used);
        Outcome o = outcome_of(reply, State::wrong);
        if (o.state != State::ok) worker_.stop(); // whose memory a wild write may have hurt
        record(i, "check", dims_text(shape), o,
               o.state == State::ok ? reply.answer.value("max_error", 0.0) : 0);
    }

    // A sample of every candidate that is left, unless the results have this round. Those that fail are out.
    void round(const Round &r, const Dims &shape) {
        RoundRecord record{number_, r.shape, r.role, r.caches, r.number, 0, {}};
        if (known_.rounds.count(record.key()) || !default_alive()) return;
        json what = {{"shape", shape}, {"caches", name_of(r.caches)}};
        prepare(what);
        std::vector<size_t> failed;
        std::string seed = fmt::format("{} {} {} {}", id(0), r.shape, r.role, r.number);
        for (size_t at : shuffled(alive_.size(), std::stoull(content_hash(seed), nullptr, 16))) {
            size_t i = alive_[at];
            if (!sample(i, what, record)) failed.push_back(i), prepare(what);
        }
        for (size_t i : failed) alive_.erase(std::find(alive_.begin(), alive_.end(), i));
        if (record.seconds.empty()) return;
        record.ghz /= static_cast<double>(record.seconds.size());
        file_.add(record);
        known_.rounds[record.key()] = record;
    }

    bool sample(size_t i, json request, RoundRecord &into) {
        request["cmd"] = "time", request["rounds"] = 1;
        request["candidates"] = {{{"candidate", candidate(i)}, {"artefact", artefact(i)}}};
        Reply reply = worker_.request(request, options_.limit);
        Outcome o = outcome_of(reply, State::failed);
        double seconds = 0;
        try {
            if (o.state == State::ok) seconds = reply.answer.at("seconds").at(0).at(0);
            if (o.state == State::ok) into.ghz += reply.answer.value("ghz", 0.0);
        } catch (const json::exception &) {
            o = {State::garbage, "answered without a time", reply.seconds};
        }
        if (o.state == State::ok && !(seconds > 0))
            o = {State::garbage, "answered with a time that is not positive", reply.seconds};
        if (o.state == State::ok) return into.seconds[id(i)] = seconds, true;
        worker_.stop();
        record(i, into.role == "final" ? "final" : "time", into.shape, o);
        return false;
    }

    double seconds(size_t i, const Dims &shape) const {
        std::vector<double> all;
        for (int r = 0; r < manifest_.search_rounds; r++) {
            auto at =
                known_.rounds.find({number_, dims_text(shape), "search", deciding(task_.spec, shape), r});
            if (at == known_.rounds.end()) continue;
            if (auto mine = at->second.seconds.find(id(i)); mine != at->second.seconds.end())
                all.push_back(mine->second);
        }
        return median(all);
    }

    std::vector<size_t> finalists() const {
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
            if (!lost(alive_[at], "final")) chosen.push_back(alive_[at]);
        return chosen;
    }

    // In rounds of an earlier run.
    bool lost(size_t i, const char *stage) const {
        return std::any_of(task_.shapes.begin(), task_.shapes.end(),
                           [&](auto &shape) { return known_.stage(id(i), stage, dims_text(shape)); });
    }

    const Manifest &manifest_;
    const KitTask &task_;
    size_t number_;
    const MeasureOptions &options_;
    Results &known_;
    ResultsFile &file_;
    std::ostream &log_;
    Worker worker_;
    std::vector<size_t> alive_; // ascending: the default first
};

// The devices of this machine for the instruction sets of the kit.
std::map<std::string, std::string> devices_for(const Manifest &m) {
    std::map<std::string, std::string> devices;
    for (const KitTask &t : m.tasks) {
        bool known = t.isa == "cuda" || std::count(all_isas().begin(), all_isas().end(), t.isa);
        if (known && device_for(t.isa).runs(t.isa)) devices[t.isa] = device_for(t.isa).name();
    }
    return devices;
}

void refuse_others(const Results &known, const std::string &path, const RunRecord &now) {
    for (const RunRecord &r : known.runs) {
        if (r.kit != now.kit) throw Error(path, "holds results of another kit (" + r.kit + ")");
        for (const auto &[isa, device] : r.devices)
            if (auto here = now.devices.find(isa); here == now.devices.end() || here->second != device)
                throw Error(path, "holds results of another device: " + device);
    }
}

} // namespace

std::string summary_text(const MeasureSummary &s) {
    return fmt::format("{} candidates of {} tasks measured, {} lost, {} tasks skipped", s.candidates - s.lost,
                       s.tasks, s.lost, s.skipped);
}

MeasureSummary measure_kit(const MeasureOptions &options, std::ostream &log) {
    Manifest manifest = load_manifest(options.kit);
    std::string path = options.out.empty() ? options.kit + "/results.jsonl" : options.out;
    ResultsFile file(path);
    Results known = read_results(path);
    RunRecord now{manifest.id(), utc_now(), devices_for(manifest), environment()};
    refuse_others(known, path, now);
    if (now.devices.empty()) throw Error(options.kit, "has no candidate that this machine runs");
    file.add(now);
    MeasureSummary sum;
    for (size_t i = 0; i < manifest.tasks.size(); i++) {
        const KitTask &t = manifest.tasks[i];
        sum.tasks++;
        log << fmt::format("{} of {}: {}: {} candidates\n", i + 1, manifest.tasks.size(), t.text(),
                           t.candidates.size())
            << std::flush;
        if (!now.devices.count(t.isa)) {
            log << "    skipped: not for this machine\n" << std::flush;
            sum.skipped++;
            continue;
        }
        try {
            size_t lost = TaskRun(manifest, i, options, known, file, log).run();
            sum.candidates += t.candidates.size(), sum.lost += lost;
            if (lost < t.candidates.size()) continue;
            log << "    skipped: the default does not pass, so nothing can be compared\n" << std::flush;
        } catch (const Unprepared &e) {
            log << fmt::format("    skipped: {}\n", e.what()) << std::flush;
        }
        sum.skipped++;
    }
    file.end();
    return sum;
}

int kit_worker(const std::string &kit) {
    Manifest manifest = load_manifest(kit);
    return measure_worker([&](const std::string &op) -> const Contract & { return manifest.contract(op); });
}

} // namespace ks::tune
