// SPDX-License-Identifier: Apache-2.0
#include "autotune/kit/results.h"
#include "autotune/fields.h"
#include "autotune/kit/manifest.h"
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

namespace ks::tune {

namespace {

json to_json(const RunRecord &r) {
    return {{"record", "run"},      {"format", RunRecord::newest_format}, {"kit", r.kit}, {"at", r.at},
            {"devices", r.devices}, {"environment", r.environment}};
}

json to_json(const StageRecord &s) {
    return {{"record", "stage"},
            {"candidate", s.candidate},
            {"stage", s.stage},
            {"shape", s.shape},
            {"state", state_name(s.outcome.state)},
            {"message", s.outcome.message},
            {"seconds", s.outcome.seconds},
            {"max_error", s.max_error}};
}

json to_json(const RoundRecord &r) {
    return {{"record", "round"},           {"task", r.task},   {"shape", r.shape}, {"role", r.role},
            {"caches", name_of(r.caches)}, {"round", r.round}, {"ghz", r.ghz},     {"seconds", r.seconds}};
}

RunRecord read_run(Fields &f) {
    if (int format = f.get<int>("format"); format != RunRecord::newest_format)
        throw Error(fmt::format("has format {}, this program reads {}", format, RunRecord::newest_format));
    RunRecord r{f.get<std::string>("kit"), f.get<std::string>("at"), {}, f.get<json>("environment")};
    r.devices = f.get<std::map<std::string, std::string>>("devices");
    return r;
}

StageRecord read_stage(Fields &f) {
    StageRecord s{f.get<std::string>("candidate"),
                  f.get<std::string>("stage"),
                  f.get<std::string>("shape"),
                  {},
                  f.get<double>("max_error")};
    s.outcome = {state_named(f.get<std::string>("state")), f.get<std::string>("message"),
                 f.get<double>("seconds")};
    if (s.stage != "check" && s.stage != "time" && s.stage != "final")
        throw Error("stage " + s.stage + " is none of a kit's");
    return s;
}

RoundRecord read_round(Fields &f) {
    RoundRecord r{f.get<size_t>("task"),
                  f.get<std::string>("shape"),
                  f.get<std::string>("role"),
                  caches_named(f.get<std::string>("caches")),
                  f.get<int>("round"),
                  f.get<double>("ghz"),
                  f.get<std::map<std::string, double>>("seconds")};
    if (r.role != "search" && r.role != "final") throw Error("role " + r.role + " is none of a kit's");
    for (const auto &[id, seconds] : r.seconds)
        if (!(seconds > 0) || !std::isfinite(seconds)) throw Error("the time of " + id + " is not positive");
    return r;
}

void read_line(const std::string &line, Results &results) {
    json record = json::parse(line, nullptr, false);
    if (!record.is_object()) throw Error("is not a JSON object");
    Fields f(record, "the record");
    auto kind = f.get<std::string>("record");
    if (results.runs.empty() && kind != "run") throw Error("the file does not begin with a run");
    if (kind == "run")
        results.runs.push_back(read_run(f));
    else if (kind == "begin")
        results.begun[f.get<std::string>("candidate")]++;
    else if (kind == "end")
        results.ended = true;
    else if (kind == "stage") {
        StageRecord s = read_stage(f);
        results.stages[{s.candidate, s.stage, s.shape}] = s;
        results.begun[s.candidate] = 0;
    } else if (kind == "round") {
        RoundRecord r = read_round(f);
        results.rounds[r.key()] = r;
    } else
        throw Error("record " + kind + " is none of a kit's");
    f.done();
}

} // namespace

const StageRecord *Results::stage(const std::string &candidate, const std::string &stage_name,
                                  const std::string &shape) const {
    auto at = stages.find({candidate, stage_name, shape});
    return at == stages.end() ? nullptr : &at->second;
}

Results read_results(const std::string &path) {
    std::string text = file_contents(path);
    Results results;
    size_t number = 1;
    for (size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1, number++) try {
            read_line(text.substr(at, end - at), results);
        } catch (const Error &e) {
            throw Error(fmt::format("{}:{}", path, number), e.what());
        }
    return results;
}

ResultsFile::ResultsFile(const std::string &path) : path_(path) {
    fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd_ < 0) throw Error(path, std::strerror(errno));
    if (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
        close(fd_);
        throw Error(path, "another program is measuring into it");
    }
    std::string text = file_contents(path);
    size_t whole = text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1;
    if (whole < text.size() && ftruncate(fd_, static_cast<off_t>(whole)) != 0) {
        close(fd_);
        throw Error(path, "its unfinished last line cannot be cut off");
    }
}

ResultsFile::~ResultsFile() { close(fd_); }

void ResultsFile::add(const RunRecord &run) { append(to_json(run)); }
void ResultsFile::add(const StageRecord &stage) { append(to_json(stage)); }
void ResultsFile::add(const RoundRecord &round) { append(to_json(round)); }
void ResultsFile::begin(const std::string &candidate) {
    append({{"record", "begin"}, {"candidate", candidate}});
}
void ResultsFile::end() { append({{"record", "end"}}); }

void ResultsFile::append(const json &record) {
    std::string line = record.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
    for (size_t sent = 0; sent < line.size();) {
        ssize_t n = write(fd_, line.data() + sent, line.size() - sent);
        if (n < 0 && errno != EINTR) throw Error(path_, std::strerror(errno));
        if (n > 0) sent += static_cast<size_t>(n);
    }
    if (fdatasync(fd_) != 0) throw Error(path_, std::strerror(errno));
}

} // namespace ks::tune
