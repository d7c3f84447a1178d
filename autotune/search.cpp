// SPDX-License-Identifier: Apache-2.0
#include "autotune/search.h"
#include "autotune/surrogate.h"
#include "runtime/base/error.h"
#include <algorithm>
#include <cmath>
#include <map>
#include <random>

namespace ks::tune {

namespace {

// The points of a space, and which of them were proposed before.
class Points {
  public:
    explicit Points(const Space &space) : all_(space.all()), tried_(all_.size()) {
        for (size_t i = 0; i < all_.size(); i++) index_[all_[i]] = i;
    }
    size_t size() const { return all_.size(); }
    size_t untried() const { return untried_; }
    const Knobs &operator[](size_t i) const { return all_[i]; }
    bool tried(size_t i) const { return tried_[i]; }
    std::optional<size_t> find(const Knobs &k) const {
        auto at = index_.find(k);
        if (at == index_.end()) return {};
        return at->second;
    }
    void read(const std::vector<Trial> &history, const std::vector<Knobs> &pending) {
        tried_.assign(all_.size(), false);
        for (const auto &t : history)
            if (auto i = find(t.knobs)) tried_[*i] = true;
        for (const Knobs &k : pending)
            if (auto i = find(k)) tried_[*i] = true;
        untried_ = static_cast<size_t>(std::count(tried_.begin(), tried_.end(), false));
    }

  private:
    std::vector<Knobs> all_;
    std::map<Knobs, size_t> index_;
    std::vector<bool> tried_;
    size_t untried_ = 0;
};

// The first untried point of a fixed order.
class InOrder : public Strategy {
  public:
    explicit InOrder(const Space &space) : points_(space) {
        for (size_t i = 0; i < points_.size(); i++) order_.push_back(i);
    }
    InOrder(const Space &space, uint64_t seed) : InOrder(space) {
        std::mt19937_64 random(seed);
        for (size_t i = order_.size() - 1; i > 1; i--) std::swap(order_[i], order_[1 + random() % i]);
    }
    std::optional<Knobs> next(const std::vector<Trial> &history, const std::vector<Knobs> &pending) override {
        points_.read(history, pending);
        for (size_t i : order_)
            if (!points_.tried(i)) return points_[i];
        return {};
    }

  private:
    Points points_;
    std::vector<size_t> order_;
};

class Neighbourhood : public Strategy {
  public:
    Neighbourhood(const Space &space, uint64_t seed, const Knobs &start)
        : space_(space), seed_(seed), start_(start), points_(space), model_(space) {
        if (!space.legal(start)) throw Error("start " + start.text(), "is not a legal point of the space");
        for (size_t i = 0; i < points_.size(); i++) features_.push_back(model_.features(points_[i]));
    }

    std::optional<Knobs> next(const std::vector<Trial> &history, const std::vector<Knobs> &pending) override {
        points_.read(history, pending);
        if (!points_.untried()) return {};
        if (auto i = points_.find(start_); !points_.tried(*i)) return start_;
        size_t number = history.size() + pending.size();
        std::mt19937_64 random(seed_ * 0x9e3779b97f4a7c15u + number);
        if (number < sample_size() || number % random_every == 0) return any(random);
        absorb(history);
        if (number % near_every == 0)
            if (auto k = near_best(history)) return k;
        return promising(random);
    }

  private:
    static constexpr size_t random_every = 16, near_every = 3, pool = 4096;

    size_t sample_size() const { return std::min(points_.size() / 16, 2 * space_.knobs().size()) + 2; }

    Knobs any(std::mt19937_64 &random) const {
        size_t skip = random() % points_.untried(), i = 0;
        for (;; i++)
            if (!points_.tried(i) && skip-- == 0) return points_[i];
    }

    // Brings the model up to date; starts over when the history is not a continuation of the one seen before.
    void absorb(const std::vector<Trial> &history) {
        bool goes_on = seen_.size() <= history.size();
        for (size_t i = 0; goes_on && i < seen_.size(); i++)
            goes_on = seen_[i].knobs == history[i].knobs && seen_[i].seconds == history[i].seconds;
        if (!goes_on) seen_.clear(), model_ = Surrogate(space_);
        std::vector<double> logs;
        for (const auto &t : history)
            if (t.seconds) logs.push_back(std::log(*t.seconds));
        std::sort(logs.begin(), logs.end());
        for (size_t i = seen_.size(); i < history.size(); i++) {
            seen_.push_back(history[i]);
            auto at = points_.find(
                history[i].knobs); // recorded points of an older space may be unknown to this one
            double bad = logs.empty() ? 0 : logs.back();
            if (at) model_.add(features_[*at], history[i].seconds ? std::log(*history[i].seconds) : bad);
        }
        double middle = logs.empty() ? 0 : logs[logs.size() / 2];
        spread_ = logs.empty() ? 1 : std::max(middle - logs.front(), 0.01);
        model_.fit(middle);
    }

    double score(size_t i) const {
        return model_.mean(features_[i]) - caution * spread_ * model_.doubt(features_[i]);
    }

    // Of the best trial that has untried neighbours, the neighbour of best score.
    std::optional<Knobs> near_best(const std::vector<Trial> &history) const {
        std::vector<const Trial *> good;
        for (const auto &t : history)
            if (t.seconds && points_.find(t.knobs)) good.push_back(&t);
        std::stable_sort(good.begin(), good.end(),
                         [](auto *a, auto *b) { return *a->seconds < *b->seconds; });
        for (const Trial *t : good) {
            std::optional<size_t> best;
            for (const Knobs &k : space_.neighbours(t->knobs)) {
                size_t i = *points_.find(k);
                if (!points_.tried(i) && (!best || score(i) < score(*best))) best = i;
            }
            if (best) return points_[*best];
        }
        return {};
    }

    // The untried point of best score; of a large space, among a random part.
    Knobs promising(std::mt19937_64 &random) const {
        std::optional<size_t> best;
        double best_score = 0;
        size_t stride = points_.size() / pool + 1;
        for (size_t i = random() % stride; i < points_.size(); i += stride) {
            if (points_.tried(i)) continue;
            if (double s = score(i); !best || s < best_score) best = i, best_score = s;
        }
        return best ? points_[*best] : any(random);
    }

    static constexpr double caution = 0.1;
    Space space_;
    uint64_t seed_;
    Knobs start_;
    Points points_;
    Surrogate model_;
    std::vector<Surrogate::Features> features_;
    std::vector<Trial> seen_;
    double spread_ = 1;
};

} // namespace

std::unique_ptr<Strategy> exhaustive(const Space &space) { return std::make_unique<InOrder>(space); }

std::unique_ptr<Strategy> random_order(const Space &space, uint64_t seed) {
    return std::make_unique<InOrder>(space, seed);
}

std::unique_ptr<Strategy> neighbourhood(const Space &space, uint64_t seed, std::optional<Knobs> start) {
    return std::make_unique<Neighbourhood>(space, seed, start ? *start : space.fallback());
}

} // namespace ks::tune
