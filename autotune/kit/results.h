// SPDX-License-Identifier: Apache-2.0
// The results of a measuring kit as JSON lines, one record a line, appended and on the disk before the next
// step:
//   run    the program was started: format, kit, device of every instruction set, environment
//   begin  the checks of a candidate begin; without an end, they ended the whole run
//   stage  a candidate's "check" at a shape ended, or it failed in its search rounds ("time") or "final"
//   rounds round  one sample of each candidate that is left, in shuffled order end    nothing is left to do
// What a killed run wrote of its last line is cut off when the next one begins.
#pragma once
#include "autotune/rotation.h"
#include "autotune/stages.h"
#include <map>
#include <string>
#include <vector>

namespace ks::tune {

struct RunRecord {
    static constexpr int newest_format = 1;
    std::string kit, at;                        // Manifest::id(); UTC, ISO 8601
    std::map<std::string, std::string> devices; // name by instruction set; of those that it runs
    json environment;
};

struct StageRecord {
    std::string candidate, stage, shape; // identity; "check", "time" or "final"; dims_text
    Outcome outcome;
    double max_error = 0; // over what is allowed, of a check that is ok
};

struct RoundRecord {
    size_t task = 0;         // in the manifest
    std::string shape, role; // dims_text, "search" or "final"
    Caches caches = Caches::warm;
    int round = 0;
    double ghz = 0;                        // mean clock while it was measured; 0: unknown
    std::map<std::string, double> seconds; // by candidate

    using Key = std::tuple<size_t, std::string, std::string, Caches, int>;
    Key key() const { return {task, shape, role, caches, round}; }
};

struct Results {
    std::vector<RunRecord> runs;
    std::map<std::string, int> begun; // by candidate: how often without any stage of it ending
    std::map<std::tuple<std::string, std::string, std::string>, StageRecord>
        stages; // candidate, stage, shape
    std::map<RoundRecord::Key, RoundRecord> rounds;
    bool ended = false;

    const StageRecord *stage(const std::string &candidate, const std::string &stage,
                             const std::string &shape) const;
};

// Throws ks::Error("path:line", cause) for a line that is no record of this format. An unfinished last line
// is left out.
Results read_results(const std::string &path);

// Appends records. One writer at a time.
class ResultsFile {
  public:
    explicit ResultsFile(const std::string &path); // opens or creates; throws ks::Error
    ~ResultsFile();
    ResultsFile(const ResultsFile &) = delete;
    ResultsFile &operator=(const ResultsFile &) = delete;

    void add(const RunRecord &run);
    void add(const StageRecord &stage);
    void add(const RoundRecord &round);
    void begin(const std::string &candidate);
    void end();

  private:
    void append(const json &record); // returns when it is on the disk
    std::string path_;
    int fd_ = -1;
};

} // namespace ks::tune
