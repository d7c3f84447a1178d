// SPDX-License-Identifier: Apache-2.0
#include "autotune/tune.h"
#include "autotune/evaluation.h"
#include "runtime/base/error.h"
#include <algorithm>
#include <chrono>
#include <cmath>
#include <fmt/format.h>

namespace ks::tune {

namespace {

constexpr double final_share = 0.2; // of the budget at most, for the final rounds

class Run {
  public:
    Run(const Task &task, const Options &options, Builder &builder, Meter &meter, Store &store,
        Progress &progress)
        : task_(task),
          options_(options),
          progress_(progress),
          evaluation_(task, options, builder, meter, store),
          most_(std::min(options.candidates, task.space.all().size())),
          batch_(options.jobs > 1 ? 2 * options.jobs : 1) {}

    Result run() {
        for (const Knobs &k : evaluation_.known())
            if (evaluation_.was_cut_off(k) && options_.seconds < options_.build_seconds)
                put_off_.push_back(k);
        default_first();
        resume();
        search();
        finals();
        progress_.finish();
        return std::move(result_);
    }

  private:
    double left() const {
        return options_.seconds -
               std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    }

    bool put_off(const Knobs &k) const {
        return std::find(put_off_.begin(), put_off_.end(), k) != put_off_.end();
    }

    // Built together with what is suggested, measured before anything else; it has all the time it needs.
    void default_first() {
        std::vector<Knobs> first = {task_.space.fallback()};
        for (const Knobs &k : task_.suggested)
            if (first.size() < std::min(options_.jobs, most_) && !put_off(k)) first.push_back(k);
        evaluation_.build(first, left());
        if (!evaluation_.run(task_.space.fallback()).seconds)
            throw Error(evaluation_.candidate(task_.space.fallback()).text(),
                        "the default schedule does not pass: " + evaluation_.why());
    }

    // What is half done waits for its other gates, unless it is put off.
    void resume() {
        waiting_ = task_.suggested;
        for (const Knobs &k : evaluation_.known())
            if (auto trial = evaluation_.recorded(k))
                add(*trial);
            else
                waiting_.push_back(k);
        result_.resumed = history_.size() - 1; // the default is always there by now
        show();
    }

    void search() {
        auto strategy = neighbourhood(task_.space, options_.seed);
        for (;;) {
            double begin = left();
            std::vector<Knobs> batch = proposals(*strategy, affordable());
            if (batch.empty()) break;
            show(batch.size());
            std::vector<Knobs> built = evaluation_.build(batch, left());
            if (built.size() < batch.size())
                progress_.note(fmt::format("{} of {} builds cut off: the budget is too small for them",
                                           batch.size() - built.size(), batch.size()));
            for (const Knobs &k : built) {
                add(evaluation_.run(k));
                if (!history_.back().seconds) progress_.note(k.text() + ": " + evaluation_.why());
                show();
            }
            searched_ += batch.size(), search_seconds_ += begin - left();
        }
        result_.tried = history_.size();
        result_.complete = !strategy->next(history_);
    }

    // How many candidates the time before the final rounds is enough for, as those before them went.
    size_t affordable() const {
        auto passed = std::find_if(history_.rbegin(), history_.rend(), [](auto &t) { return t.seconds; });
        double finals = evaluation_.final_cost(passed->knobs); // the default has passed, if no other
        double seconds = left() - std::min(options_.seconds * final_share, finals);
        if (seconds <= 0) return 0;
        return searched_ ? static_cast<size_t>(seconds * static_cast<double>(searched_) / search_seconds_)
                         : batch_;
    }

    // What to build next: what was suggested, what a killed run left half done, then what the strategy says.
    std::vector<Knobs> proposals(Strategy &strategy, size_t limit) {
        std::vector<Knobs> batch, pending = put_off_;
        auto known = [&](const Knobs &k) {
            return std::any_of(history_.begin(), history_.end(), [&](auto &t) { return t.knobs == k; }) ||
                   std::find(pending.begin(), pending.end(), k) != pending.end();
        };
        limit = std::min({limit, batch_, most_ - std::min(most_, history_.size())});
        while (batch.size() < limit) {
            std::optional<Knobs> k;
            if (waiting_.empty())
                k = strategy.next(history_, pending);
            else
                k = waiting_.front(), waiting_.erase(waiting_.begin());
            if (!k) break;
            if (known(*k)) continue;
            batch.push_back(*k);
            pending.push_back(*k);
        }
        return batch;
    }

    void add(const Trial &trial) {
        history_.push_back(trial);
        if (!trial.seconds) result_.failed++;
        if (trial.seconds && (best_ == SIZE_MAX || *trial.seconds < *history_[best_].seconds))
            best_ = history_.size() - 1;
    }

    void show(size_t building = 0) {
        Status s{history_.size(), most_, result_.failed, 1, "", left(), building};
        if (best_ != SIZE_MAX)
            s.best = 1 / *history_[best_].seconds, s.best_knobs = history_[best_].knobs.text();
        progress_.show(s);
    }

    std::vector<Knobs> finalists() const {
        std::vector<Knobs> passed = {task_.space.fallback()};
        std::vector<std::vector<double>> scores = {std::vector<double>(1 + task_.shapes.size())};
        for (const Trial &t : history_) {
            if (!t.seconds || t.knobs == passed[0]) continue;
            passed.push_back(t.knobs);
            scores.push_back({*t.seconds}); // over all shapes, then at each
            for (const Dims &shape : task_.shapes)
                scores.back().push_back(evaluation_.search_seconds(t.knobs, shape));
        }
        std::vector<Knobs> chosen;
        for (size_t i : choose_finalists(scores, options_.finalists)) chosen.push_back(passed[i]);
        return chosen;
    }

    void finals() {
        const std::vector<Knobs> all = finalists();
        for (const Dims &shape : task_.shapes) {
            std::vector<Knobs> in = all;
            auto seconds = evaluation_.final_rounds(in, shape);
            if (in.size() < all.size() || seconds.empty())
                progress_.note(fmt::format("final at {}: {} of {} finalists failed ({})", dims_text(shape),
                                           all.size() - in.size(), all.size() - 1, evaluation_.why()));
            result_.shapes.push_back(seconds.empty() ? undecided(shape) : judge(task_, shape, in, seconds));
        }
    }

    // Not even the default could be measured again: nothing can beat it.
    ShapeResult undecided(const Dims &shape) const {
        Knobs fallback = task_.space.fallback();
        double seconds = evaluation_.search_seconds(fallback, shape);
        return {shape, {{evaluation_.candidate(fallback), seconds, {}, true}}, 0};
    }

    const Task &task_;
    const Options &options_;
    Progress &progress_;
    Evaluation evaluation_;
    size_t most_;
    size_t batch_;               // candidates built at once: two per process, so that no core waits long
    std::vector<Knobs> waiting_; // to be tried before the strategy is asked
    std::vector<Knobs> put_off_; // builds that an earlier run did not finish, for a run with more time
    std::vector<Trial> history_;
    size_t best_ = SIZE_MAX;
    size_t searched_ = 0; // by this run, in search_seconds_
    double search_seconds_ = 0;
    Result result_;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

} // namespace

ShapeResult judge(const Task &task, const Dims &shape, const std::vector<Knobs> &finalists,
                  const std::vector<std::vector<double>> &seconds) {
    std::vector<int> complexity;
    for (const Knobs &k : finalists) complexity.push_back(distance(k, task.space.fallback()));
    Verdict v = decide(seconds, complexity);
    ShapeResult r{shape, {}, v.winner};
    for (size_t i = 0; i < finalists.size(); i++)
        r.finalists.push_back({{task.op, task.spec, task.isa, finalists[i]},
                               median(seconds[i]),
                               ratio(seconds[i], seconds[0]),
                               v.tied[i]});
    r.finalists[0].ratio = {};
    return r;
}

Result tune(const Task &task, const Options &options, Builder &builder, Meter &meter, Store &store,
            Progress &progress) {
    if (task.shapes.empty()) throw Error(task.op, "no shape to tune for");
    return Run(task, options, builder, meter, store, progress).run();
}

} // namespace ks::tune
