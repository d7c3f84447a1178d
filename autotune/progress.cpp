// SPDX-License-Identifier: Apache-2.0
#include "autotune/progress.h"
#include <cmath>
#include <fmt/format.h>

namespace ks::tune {

namespace {

class OneLine : public Progress {
  public:
    OneLine(std::ostream &out, int columns) : out_(out), columns_(static_cast<size_t>(columns)) {}
    void show(const Status &status) override {
        last_ = status_line(status).substr(0, columns_ - 1); // a full last column would wrap
        out_ << "\r\x1b[K" << last_ << std::flush;
    }
    void note(const std::string &line) override { out_ << "\r\x1b[K" << line << '\n' << last_ << std::flush; }
    void finish() override {
        if (!last_.empty()) out_ << '\n' << std::flush;
        last_.clear();
    }

  private:
    std::ostream &out_;
    size_t columns_;
    std::string last_;
};

class Lines : public Progress {
  public:
    Lines(std::ostream &out, double interval) : out_(out), interval_(interval) {}
    void show(const Status &status) override {
        last_ = status_line(status);
        auto now = std::chrono::steady_clock::now();
        bool due = std::chrono::duration<double>(now - printed_).count() >= interval_;
        if (!first_ && !due && status.best <= best_) return;
        print();
        first_ = false, best_ = status.best, printed_ = now;
    }
    void note(const std::string &line) override { out_ << line << std::endl; }
    void finish() override {
        if (last_ != shown_) print();
    }

  private:
    void print() { out_ << (shown_ = last_) << std::endl; }

    std::ostream &out_;
    double interval_, best_ = 0;
    bool first_ = true;
    std::chrono::steady_clock::time_point printed_;
    std::string last_, shown_;
};

} // namespace

std::string status_line(const Status &s) {
    long left = std::lround(std::max(0.0, s.seconds_left));
    std::string time = left >= 3600 ? fmt::format("{}:{:02}:{:02}", left / 3600, left / 60 % 60, left % 60)
                                    : fmt::format("{}:{:02}", left / 60, left % 60);
    std::string line = fmt::format("{}/{} candidates", s.done, s.total);
    if (s.failed) line += fmt::format(", {} failed", s.failed);
    if (s.building) line += fmt::format(", building {}", s.building);
    if (s.done) line += fmt::format(", best {:.3g}x ({})", s.best, s.best_knobs);
    return line + ", " + time + " left";
}

std::unique_ptr<Progress> make_progress(std::ostream &out, bool terminal, int columns, double interval) {
    if (terminal) return std::make_unique<OneLine>(out, std::max(columns, 20));
    return std::make_unique<Lines>(out, interval);
}

} // namespace ks::tune
