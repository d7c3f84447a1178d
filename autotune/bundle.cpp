// SPDX-License-Identifier: Apache-2.0
#include "autotune/bundle.h"
#include "autotune/evaluation.h"
#include "autotune/work.h"
#include "runtime/base/error.h"
#include "runtime/io/atomic_file.h"
#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <ostream>

namespace ks::tune {

namespace fs = std::filesystem;

namespace {

constexpr size_t incumbents =
    3; // of the history, measured again beside what is new; at most a quarter of a kit

// Nothing is measured here.
class NoMeter : public Meter {
  public:
    Outcome check(const Built &, const Dims &) override { return {State::failed, "no meter", 0}; }
    Timing time(const std::vector<Built> &, const Dims &, int) override { return {}; }
};

bool holds(const std::vector<Knobs> &list, const Knobs &k) {
    return std::find(list.begin(), list.end(), k) != list.end();
}

// A folder that is removed unless it is kept.
class Draft {
  public:
    explicit Draft(const std::string &path) : path_(path) {
        fs::remove_all(path_);
        fs::create_directories(path_ / "objects");
    }
    ~Draft() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    const fs::path &path() const { return path_; }

  private:
    fs::path path_;
};

void write_file(const fs::path &path, const std::string &text) {
    io::AtomicFile file(path.string());
    file.write(text.data(), text.size());
    file.commit();
}

// Puts a built candidate into the kit, or notes whose twin it is.
void add(KitTask &task, const Knobs &knobs, const Versions &versions, const std::string &artefact,
         const fs::path &kit) {
    std::string id = identity(task.candidate(knobs), versions), bytes = file_contents(artefact);
    std::string code = content_hash(bytes);
    for (const KitCandidate &c : task.candidates)
        if (c.code == code) return task.twins.push_back({id, knobs, c.id});
    std::string file = "objects/" + id + ".kernel.so";
    write_file(kit / file, bytes);
    task.candidates.push_back({id, knobs, file, code});
}

KitTask make_task(const Task &task, const BundleOptions &o, Builder &builder, Store &store,
                  const fs::path &kit, std::ostream &log) {
    NoMeter none;
    Evaluation evaluation(task, o.build, builder, none, store);
    auto build = [&](const std::vector<Knobs> &list) {
        evaluation.build(list, o.build.build_seconds * static_cast<double>(list.size()));
    };
    build(evaluation.measured()); // by an older program, or for a kit of another folder: is it the same code?
    std::vector<Trial> history;
    for (const Knobs &k : evaluation.known())
        if (auto trial = evaluation.recorded(k)) history.push_back(*trial);
    std::vector<Knobs> chosen = choose_candidates(task, history, o.candidates, o.seed);
    build(chosen);
    // Of twins the one nearest to the default stands for all; the default is first of all.
    const Knobs fallback = task.space.fallback();
    std::stable_sort(chosen.begin(), chosen.end(),
                     [&](auto &a, auto &b) { return distance(a, fallback) < distance(b, fallback); });
    KitTask t{task.op, task.versions.op, task.spec, task.isa, task.shapes, task.check_shapes, {}, {}, {}};
    constexpr double most_flops = 4e9; // some 4 s of the oracle
    for (const Dims &shape : task.shapes)
        if (can_tune(task.op) && work_of(task, shape).flops > most_flops) t.by_default.push_back(shape);
    size_t failed = 0;
    for (const Knobs &k : chosen) {
        Outcome built = evaluation.build_outcome(k);
        if (built.state == State::ok) {
            add(t, k, task.versions, evaluation.artefact(k).artefact, kit);
            continue;
        }
        if (k == fallback) throw Error(t.text(), "the default schedule cannot be built: " + built.message);
        failed++;
        log << fmt::format("    not built: {}: {}\n", k.text(), built.message) << std::flush;
    }
    log << fmt::format("    {} candidates, {} not built, {} of the same machine code as another\n",
                       t.candidates.size(), failed, t.twins.size())
        << std::flush;
    return t;
}

// As a tar file that unpacks to a folder of its name.
void pack(const Draft &draft, const fs::path &out) {
    fs::path part = out.string() + ".part";
    std::string name = out.stem().string();
    if (name.find('\'') != std::string::npos || out.string().find('\'') != std::string::npos)
        throw Error(out.string(), "has a quote in its name");
    std::string command = fmt::format("tar -cf '{}' -C '{}' --transform 's,^\\.,{},' .", part.string(),
                                      draft.path().string(), name);
    if (std::system(command.c_str()) != 0) throw Error(out.string(), "tar failed");
    fs::rename(part, out);
}

} // namespace

std::vector<Knobs> choose_candidates(const Task &task, const std::vector<Trial> &history, size_t most,
                                     uint64_t seed) {
    std::vector<Knobs> chosen = {task.space.fallback()};
    auto add = [&](const Knobs &k) {
        if (chosen.size() < most && task.space.legal(k) && !holds(chosen, k)) chosen.push_back(k);
    };
    std::vector<Trial> best;
    for (const Trial &t : history)
        if (t.seconds) best.push_back(t);
    std::stable_sort(best.begin(), best.end(), [](auto &a, auto &b) { return *a.seconds < *b.seconds; });
    for (size_t i = 0; i < std::min({best.size(), incumbents, (most + 3) / 4}); i++) add(best[i].knobs);
    for (const Knobs &k : task.suggested)
        if (std::none_of(history.begin(), history.end(), [&](auto &t) { return t.knobs == k; })) add(k);
    auto strategy = best.empty() ? random_order(task.space, seed) : neighbourhood(task.space, seed);
    while (chosen.size() < most) {
        auto next = strategy->next(history, chosen);
        if (!next) break;
        chosen.push_back(*next);
    }
    return chosen;
}

Manifest bundle(const std::vector<Task> &tasks, const BundleOptions &o, Builder &builder, Store &store,
                const std::map<std::string, Contract> &contracts, std::ostream &log) {
    fs::path out = fs::absolute(o.out);
    if (fs::exists(out)) throw Error(o.out, "is there already");
    Draft draft(out.string() + ".draft");
    Manifest m;
    m.compiler = tasks.at(0).versions.compiler;
    for (const Task &t : tasks)
        if (t.versions.compiler != m.compiler)
            throw Error(o.out, "a kit is for CPUs or for a GPU, not for both");
    for (size_t i = 0; i < tasks.size(); i++) {
        log << fmt::format("{} of {}: {} {} {}\n", i + 1, tasks.size(), tasks[i].op, tasks[i].spec.text(),
                           tasks[i].isa)
            << std::flush;
        m.contracts[tasks[i].op] = contracts.at(tasks[i].op);
        m.tasks.push_back(make_task(tasks[i], o, builder, store, draft.path(), log));
    }
    write_file(draft.path() / "manifest.json", m.text());
    fs::copy_file(o.program, draft.path() / "ks_measure");
    if (out.extension() == ".tar")
        pack(draft, out);
    else
        fs::rename(draft.path(), out);
    return m;
}

} // namespace ks::tune
