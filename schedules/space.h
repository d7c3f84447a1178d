// SPDX-License-Identifier: Apache-2.0
// Schedule spaces: knobs with names, legal values and a default, as data. Knob values are strings, so that a
// candidate reads the same in the store, in a dispatch table and on screen.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace ks {

class Knobs {
  public:
    Knobs() = default;
    explicit Knobs(std::map<std::string, std::string> values) : values_(std::move(values)) {}
    Knobs(std::initializer_list<std::pair<const std::string, std::string>> values) : values_(values) {}

    const std::string &operator[](const std::string &name) const; // throws ks::Error when missing
    int integer(const std::string &name) const;
    // `otherwise` where the point lacks the knob, which came later (Space::later_knob): its default.
    int integer(const std::string &name, int otherwise) const {
        return has(name) ? integer(name) : otherwise;
    }
    bool has(const std::string &name) const { return values_.count(name) > 0; }
    void set(const std::string &name, const std::string &value) { values_[name] = value; }
    void unset(const std::string &name) { values_.erase(name); }
    const std::map<std::string, std::string> &values() const { return values_; }
    std::string text() const; // canonical: "channels=128,group=8", sorted by name
    bool operator==(const Knobs &other) const { return values_ == other.values_; }
    bool operator<(const Knobs &other) const { return values_ < other.values_; }

  private:
    std::map<std::string, std::string> values_;
};

// A plan's own check as part of a rule: whether it throws no ks::Error.
bool passes(const std::function<void()> &check);

struct Knob {
    std::string name, help;
    std::vector<std::string> values; // in an order in which neighbours are similar
    std::string fallback;            // the default where it does not vary; one of `values`
    // Whether it varies, by the knobs before it; elsewhere it has its default. Null: always.
    std::function<bool(const Knobs &)> varies = nullptr;
    // A point without the knob has its default, and one with the default is without the knob.
    bool implied = false;
    // A default of before: points on record have it where the knob does not vary.
    std::string former = {};

    const std::string &of(const Knobs &point) const {
        return implied && !point.has(name) ? fallback : point[name];
    }
    void set(Knobs &point, const std::string &value) const {
        if (implied && value == fallback)
            point.unset(name);
        else
            point.set(name, value);
    }
};

class Space {
  public:
    // Adds a knob; the values must hold the default.
    void knob(const std::string &name, const std::vector<std::string> &values, const std::string &fallback,
              const std::string &help);
    void knob(const std::string &name, const std::vector<int> &values, int fallback, const std::string &help);
    // Adds a knob to a space of which points are on record, in tables, stores and kits: those without it go
    // on to be what they were.
    void later_knob(const std::string &name, const std::vector<int> &values, int fallback,
                    const std::string &help);
    // Knobs added in between vary only where `on` holds: those of one form of a kernel.
    void begin_group(std::function<bool(const Knobs &)> on) { group_ = std::move(on); }
    void end_group() { group_ = nullptr; }
    // The default point, where it is not the default of every knob: what is `changed`.
    void set_fallback(const Knobs &changed) { fallback_ = changed; }
    // The knob had this default when points were recorded: they go on to be legal.
    void formerly(const std::string &name, const std::string &value);
    // A combination is legal when all rules hold; the default must be.
    void rule(std::function<bool(const Knobs &)> legal) { rules_.push_back(std::move(legal)); }

    Space without_rules() const;

    const std::vector<Knob> &knobs() const { return knobs_; }
    Knobs fallback() const { return with(fallback_); }
    Knobs with(const Knobs &changed) const; // the point of these values, and of defaults
    bool legal(const Knobs &knobs) const;   // all knobs, none that is unknown, listed values, all rules
    std::vector<Knobs> all() const;         // every legal point, the default first, then in knob order
    std::vector<Knobs> neighbours(const Knobs &knobs) const; // legal points one step away in one knob

  private:
    void extend(size_t knob, Knobs &point, std::vector<Knobs> &points) const;

    std::vector<Knob> knobs_;
    Knobs fallback_; // what the default point has instead of defaults
    std::function<bool(const Knobs &)> group_;
    std::vector<std::function<bool(const Knobs &)>> rules_;
};

} // namespace ks
