// SPDX-License-Identifier: Apache-2.0
// The three gates of a candidate, each done once and remembered in the store: it builds, it is right, its
// time.
#pragma once
#include "autotune/artefacts.h"
#include "autotune/tune.h"

namespace ks::tune {

class Evaluation {
  public:
    Evaluation(const Task &task, const Options &options, Builder &builder, Meter &meter, Store &store);

    Candidate candidate(const Knobs &knobs) const { return {task_.op, task_.spec, task_.isa, knobs}; }
    // The first gate of several, options.jobs at a time; returns those that were built, or failed, within
    // `seconds`. What that time cuts off stays open, for a later run. Nothing is measured meanwhile:
    // compilers on the other cores would be in its time.
    std::vector<Knobs> build(const std::vector<Knobs> &batch, double seconds);
    // Passes the gates that the store does not know yet. The trial's seconds are relative to the default's
    // (geometric mean over the shapes); nothing when a gate was not passed, and then why() says which.
    Trial run(const Knobs &knobs);
    // The same from the store alone; nothing when something is still to be done.
    std::optional<Trial> recorded(const Knobs &knobs);
    std::vector<Knobs> known() const;           // of this task, legal, oldest first
    std::vector<Knobs> measured() const;        // those of them that were checked on this device
    bool was_built(const Knobs &knobs) const;   // or has failed to, by this builder
    bool was_cut_off(const Knobs &knobs) const; // this builder began and did not end
    const std::string &why() const { return why_; }
    Outcome build_outcome(const Knobs &knobs) const; // State::running: not built yet
    Built artefact(const Knobs &knobs);              // of one that was built; made again when it was removed
    // What the final rounds will take if all finalists are like this one, which has passed; an estimate.
    double final_cost(const Knobs &like) const;

    double search_seconds(const Knobs &knobs, const Dims &shape) const; // median; NaN when there is none
    // Final rounds of all at one shape, [candidate][round], from the store when it has them; a candidate that
    // fails is taken out of `finalists` (the first, the default, never is: then the result is empty).
    std::vector<std::vector<double>> final_rounds(std::vector<Knobs> &finalists, const Dims &shape);

  private:
    enum class Gate { passed, closed, open }; // open: not known yet, and no work was allowed
    template <typename Work>
    Gate gate(const std::string &id, int64_t environment, const char *stage, const std::string &subject,
              bool work, Work &&run);
    Gate gates(const Knobs &knobs, bool work);
    std::optional<Outcome> known_build(const std::string &id) const;
    void note_code(const std::string &id, const Outcome &build);
    Built built(const Candidate &c, const std::string &id); // makes the artefact again when it was removed
    Trial trial(const Knobs &knobs, Gate gate) const;
    bool measure(const std::vector<Knobs> &finalists, const Dims &shape,
                 std::vector<std::vector<double>> &seconds);

    const Task &task_;
    const Options &options_;
    Meter &meter_;
    Store &store_;
    Artefacts artefacts_;
    std::string builder_; // its fingerprint
    Environment environment_;
    int64_t key_; // of the environment
    std::vector<Dims> checked_;
    std::string why_;
};

} // namespace ks::tune
