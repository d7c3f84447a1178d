// SPDX-License-Identifier: Apache-2.0
#include "autotune/evaluation.h"
#include "autotune/kit/manifest.h"
#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <set>

namespace ks::tune {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double least_share = 0.05; // of the longest build: one that begins when time is up has so much

} // namespace

Evaluation::Evaluation(const Task &task, const Options &options, Builder &builder, Meter &meter, Store &store)
    : task_(task),
      options_(options),
      meter_(meter),
      store_(store),
      artefacts_(options.artefacts, builder),
      builder_(builder.fingerprint()),
      environment_{task.device, task.isa, task.versions.compiler, task.op, task.versions.op},
      key_(store.environment(environment_)) {
    std::set<Dims> all(task.check_shapes.begin(), task.check_shapes.end());
    all.insert(task.shapes.begin(), task.shapes.end());
    checked_.assign(all.begin(), all.end());
}

std::vector<Knobs> Evaluation::build(const std::vector<Knobs> &batch, double seconds) {
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    std::vector<std::pair<Candidate, std::string>> open;
    for (const Knobs &k : batch) {
        Candidate c = candidate(k);
        std::string id = store_.candidate(c, task_.versions);
        if (!known_build(id)) open.emplace_back(std::move(c), std::move(id));
    }
    std::mutex one_writer;
    std::atomic<size_t> next{0};
    auto work = [&] {
        for (size_t i; (i = next++) < open.size();) {
            const auto &[c, id] = open[i];
            double left = std::chrono::duration<double>(end - Clock::now()).count();
            double limit =
                std::min(options_.build_seconds, std::max(left, options_.build_seconds * least_share));
            std::unique_lock lock(one_writer);
            store_.begin(id, 0, "build", builder_);
            lock.unlock();
            Outcome o = artefacts_.make(c, id, limit);
            lock.lock();
            bool cut_off = o.state == State::timeout && limit < options_.build_seconds;
            if (cut_off) continue;
            note_code(id, o);
            store_.end(id, 0, "build", builder_, o);
        }
    };
    std::vector<std::future<void>> jobs; // their destructors wait, so that an error of one leaves none behind
    for (size_t j = 0; j < std::min(options_.jobs, open.size()); j++)
        jobs.push_back(std::async(std::launch::async, work));
    for (auto &job : jobs) job.get();
    std::vector<Knobs> done;
    std::copy_if(batch.begin(), batch.end(), std::back_inserter(done), [&](auto &k) { return was_built(k); });
    return done;
}

std::optional<Outcome> Evaluation::known_build(const std::string &id) const {
    return store_.outcome(id, 0, "build", builder_);
}

void Evaluation::note_code(const std::string &id, const Outcome &build) {
    bool made = build.state == State::ok;
    store_.built(id, made ? content_hash(file_contents(artefacts_.path(id))) : Store::no_code);
}

bool Evaluation::was_built(const Knobs &knobs) const {
    return known_build(identity(candidate(knobs), task_.versions)).has_value();
}

bool Evaluation::was_cut_off(const Knobs &knobs) const {
    return store_.running(identity(candidate(knobs), task_.versions), 0, "build", builder_);
}

Outcome Evaluation::build_outcome(const Knobs &knobs) const {
    auto outcome = known_build(identity(candidate(knobs), task_.versions));
    return outcome ? *outcome : Outcome{State::running, "not built yet", 0};
}

Built Evaluation::artefact(const Knobs &knobs) {
    Candidate c = candidate(knobs);
    return built(c, identity(c, task_.versions));
}

Built Evaluation::built(const Candidate &c, const std::string &id) {
    if (!artefacts_.there(id)) artefacts_.make(c, id, options_.build_seconds);
    return {c, artefacts_.path(id)};
}

template <typename Work>
Evaluation::Gate Evaluation::gate(const std::string &id, int64_t environment, const char *stage,
                                  const std::string &subject, bool work, Work &&run) {
    auto known = store_.outcome(id, environment, stage, subject);
    if (!known && !work) return Gate::open;
    if (!known) {
        store_.begin(id, environment, stage, subject);
        known = run();
        store_.end(id, environment, stage, subject, *known);
    }
    if (known->state == State::ok) return Gate::passed;
    why_ = std::string(stage) + " " + state_name(known->state) + ": " + known->message;
    return Gate::closed;
}

Evaluation::Gate Evaluation::gates(const Knobs &knobs, bool work) {
    Candidate c = candidate(knobs);
    std::string id = store_.candidate(c, task_.versions);
    Gate g = gate(id, 0, "build", builder_, work, [&] {
        Outcome o = artefacts_.make(c, id, options_.build_seconds);
        note_code(id, o);
        return o;
    });
    if (g != Gate::passed) return g;
    for (size_t i = 0; g == Gate::passed && i < checked_.size(); i++)
        g = gate(id, key_, "check", dims_text(checked_[i]), work,
                 [&] { return meter_.check(built(c, id), checked_[i]); });
    for (size_t i = 0; g == Gate::passed && i < task_.shapes.size(); i++) {
        const Dims &shape = task_.shapes[i];
        g = gate(id, key_, "time", dims_text(shape), work, [&] {
            Timing t = meter_.time({built(c, id)}, shape, options_.search_rounds);
            if (t.outcome.state == State::ok) store_.add({id}, key_, dims_text(shape), "search", t.seconds);
            return t.outcome;
        });
    }
    return g;
}

Trial Evaluation::trial(const Knobs &knobs, Gate gate) const {
    if (gate != Gate::passed) return {knobs, {}};
    std::vector<double> ratios;
    for (const Dims &shape : task_.shapes)
        ratios.push_back(search_seconds(knobs, shape) / search_seconds(task_.space.fallback(), shape));
    return {knobs, geometric_mean(ratios)};
}

Trial Evaluation::run(const Knobs &knobs) { return trial(knobs, gates(knobs, true)); }

std::optional<Trial> Evaluation::recorded(const Knobs &knobs) {
    Gate g = gates(knobs, false);
    if (g == Gate::open) return {};
    return trial(knobs, g);
}

std::vector<Knobs> Evaluation::known() const {
    std::vector<Knobs> list;
    for (const Candidate &c : store_.candidates(environment_))
        if (c.spec.text() == task_.spec.text() && task_.space.legal(c.knobs)) list.push_back(c.knobs);
    return list;
}

std::vector<Knobs> Evaluation::measured() const {
    std::vector<Knobs> list;
    for (const Knobs &k : known()) {
        std::string id = identity(candidate(k), task_.versions);
        bool any = std::any_of(checked_.begin(), checked_.end(), [&](auto &shape) {
            return store_.outcome(id, key_, "check", dims_text(shape)).has_value();
        });
        if (any) list.push_back(k);
    }
    return list;
}

double Evaluation::search_seconds(const Knobs &knobs, const Dims &shape) const {
    return median(store_.search_seconds(identity(candidate(knobs), task_.versions), key_, dims_text(shape)));
}

double Evaluation::final_cost(const Knobs &like) const {
    std::string id = identity(candidate(like), task_.versions);
    double seconds = 0;
    for (const Dims &shape : task_.shapes)
        if (auto o = store_.outcome(id, key_, "time", dims_text(shape))) seconds += o->seconds;
    return seconds * static_cast<double>(options_.finalists + 1) * options_.final_rounds /
           options_.search_rounds;
}

bool Evaluation::measure(const std::vector<Knobs> &finalists, const Dims &shape,
                         std::vector<std::vector<double>> &seconds) {
    std::vector<Built> list;
    std::vector<std::string> ids;
    for (const Knobs &k : finalists) {
        ids.push_back(identity(candidate(k), task_.versions));
        list.push_back(built(candidate(k), ids.back()));
    }
    Timing t = meter_.time(list, shape, options_.final_rounds);
    if (t.outcome.state != State::ok) {
        why_ = std::string("time ") + state_name(t.outcome.state) + ": " + t.outcome.message;
        if (ids.size() == 2) store_.end(ids[1], key_, "time", dims_text(shape), t.outcome);
        return false;
    }
    store_.add(ids, key_, dims_text(shape), "final", t.seconds);
    seconds = std::move(t.seconds);
    return true;
}

std::vector<std::vector<double>> Evaluation::final_rounds(std::vector<Knobs> &finalists, const Dims &shape) {
    std::vector<std::string> ids;
    for (const Knobs &k : finalists) ids.push_back(identity(candidate(k), task_.versions));
    if (auto stored = store_.final_seconds(ids, key_, dims_text(shape))) return *stored;
    std::vector<std::vector<double>> seconds;
    if (measure(finalists, shape, seconds)) return seconds;
    // One of them failed under longer measurement: each alone beside the default tells which, unless the
    // default itself can't be measured any more, of which no other is to blame.
    std::vector<Knobs> good = {finalists[0]};
    if (!measure(good, shape, seconds)) return finalists = good, std::vector<std::vector<double>>();
    for (size_t i = 1; i < finalists.size(); i++)
        if (measure({finalists[0], finalists[i]}, shape, seconds)) good.push_back(finalists[i]);
    finalists = good;
    seconds.clear();
    measure(finalists, shape, seconds);
    return seconds;
}

} // namespace ks::tune
