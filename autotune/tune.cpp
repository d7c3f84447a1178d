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

constexpr double search_share = 0.8; // of the budget; the rest is for the final rounds

class Run {
  public:
    Run(const Task &task, const Options &options, Builder &builder, Meter &meter, Store &store,
        Progress &progress)
        : task_(task),
          options_(options),
          progress_(progress),
          evaluation_(task, options, builder, meter, store),
          most_(std::min(options.candidates, task.space.all().size())) {}

    Result run() {
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

    void default_first() {
        if (!evaluation_.run(task_.space.fallback()).seconds)
            throw Error(evaluation_.candidate(task_.space.fallback()).text(),
                        "the default schedule does not pass: " + evaluation_.why());
    }

    void resume() {
        for (const Knobs &k : evaluation_.known())
            if (auto trial = evaluation_.recorded(k)) add(*trial);
        result_.resumed = history_.size() - 1; // the default is always there by now
        show();
    }

    bool known(const Knobs &k) const {
        return std::any_of(history_.begin(), history_.end(), [&](const Trial &t) { return t.knobs == k; });
    }

    void search() {
        for (const Knobs &k : task_.suggested)
            if (history_.size() < most_ && !known(k)) add(evaluation_.run(k));
        auto strategy = neighbourhood(task_.space, options_.seed);
        while (history_.size() < most_ && left() > options_.seconds * (1 - search_share)) {
            auto knobs = strategy->next(history_);
            if (!knobs) break;
            add(evaluation_.run(*knobs));
            if (!history_.back().seconds) progress_.note(knobs->text() + ": " + evaluation_.why());
            show();
        }
        result_.tried = history_.size();
        result_.complete = !strategy->next(history_);
    }

    void add(const Trial &trial) {
        history_.push_back(trial);
        if (!trial.seconds) result_.failed++;
        if (trial.seconds && (best_ == SIZE_MAX || *trial.seconds < *history_[best_].seconds))
            best_ = history_.size() - 1;
    }

    void show() {
        Status s{history_.size(), most_, result_.failed, 1, "", left()};
        if (best_ != SIZE_MAX)
            s.best = 1 / *history_[best_].seconds, s.best_knobs = history_[best_].knobs.text();
        progress_.show(s);
    }

    // Round-robin over the rankings (overall, then each shape), so that a winner at one shape only is in the
    // final.
    std::vector<Knobs> finalists() const {
        std::vector<std::vector<std::pair<double, Knobs>>> rankings(1 + task_.shapes.size());
        for (const Trial &t : history_) {
            if (!t.seconds || t.knobs == task_.space.fallback()) continue;
            rankings[0].push_back({*t.seconds, t.knobs});
            for (size_t i = 0; i < task_.shapes.size(); i++)
                rankings[i + 1].push_back({evaluation_.search_seconds(t.knobs, task_.shapes[i]), t.knobs});
        }
        for (auto &r : rankings) std::sort(r.begin(), r.end());
        std::vector<Knobs> chosen = {task_.space.fallback()};
        for (size_t rank = 0; rank < rankings[0].size(); rank++)
            for (const auto &r : rankings) {
                if (chosen.size() > options_.finalists) return chosen;
                if (std::find(chosen.begin(), chosen.end(), r[rank].second) == chosen.end())
                    chosen.push_back(r[rank].second);
            }
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
            result_.shapes.push_back(judge(shape, in, seconds));
        }
    }

    ShapeResult judge(const Dims &shape, const std::vector<Knobs> &in,
                      const std::vector<std::vector<double>> &seconds) const {
        ShapeResult r{shape, {}, 0};
        if (seconds.empty()) { // not even the default could be measured again: nothing can beat it
            Knobs fallback = task_.space.fallback();
            r.finalists.push_back(
                {evaluation_.candidate(fallback), evaluation_.search_seconds(fallback, shape), {}, true});
            return r;
        }
        std::vector<int> complexity;
        for (const Knobs &k : in) complexity.push_back(distance(k, task_.space.fallback()));
        Verdict v = decide(seconds, complexity);
        for (size_t i = 0; i < in.size(); i++)
            r.finalists.push_back(
                {evaluation_.candidate(in[i]), median(seconds[i]), ratio(seconds[i], seconds[0]), v.tied[i]});
        r.finalists[0].ratio = {};
        r.chosen = v.winner;
        return r;
    }

    const Task &task_;
    const Options &options_;
    Progress &progress_;
    Evaluation evaluation_;
    size_t most_;
    std::vector<Trial> history_;
    size_t best_ = SIZE_MAX;
    Result result_;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

} // namespace

Result tune(const Task &task, const Options &options, Builder &builder, Meter &meter, Store &store,
            Progress &progress) {
    if (task.shapes.empty()) throw Error(task.op, "no shape to tune for");
    return Run(task, options, builder, meter, store, progress).run();
}

} // namespace ks::tune
