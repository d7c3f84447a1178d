// SPDX-License-Identifier: Apache-2.0
#include "autotune/kit/manifest.h"
#include "autotune/kit/contract_json.h"
#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <set>

namespace ks::tune {

namespace {

json texts_of(const std::vector<Dims> &shapes) {
    json list = json::array();
    for (const Dims &d : shapes) list.push_back(dims_text(d));
    return list;
}

std::vector<Dims> shapes_of(const std::vector<std::string> &texts) {
    std::vector<Dims> shapes;
    for (const std::string &t : texts) shapes.push_back(parse_dims(t));
    return shapes;
}

json to_json(const KitTask &t) {
    json candidates = json::array(), twins = json::array();
    for (const KitCandidate &c : t.candidates)
        candidates.push_back({{"id", c.id}, {"knobs", c.knobs.text()}, {"file", c.file}, {"code", c.code}});
    for (const KitTwin &w : t.twins)
        twins.push_back({{"id", w.id}, {"knobs", w.knobs.text()}, {"same_as", w.same_as}});
    return {{"op", t.op},
            {"op_version", t.op_version},
            {"choices", t.spec.choices},
            {"fixed", t.spec.fixed},
            {"isa", t.isa},
            {"shapes", texts_of(t.shapes)},
            {"check_shapes", texts_of(t.check_shapes)},
            {"by_default", texts_of(t.by_default)},
            {"candidates", candidates},
            {"twins", twins}};
}

void read_candidates(Fields &f, KitTask &t) {
    for (const json &item : f.get<std::vector<json>>("candidates")) {
        Fields c(item, "candidate");
        t.candidates.push_back({c.get<std::string>("id"), parse_knobs(c.get<std::string>("knobs")),
                                c.get<std::string>("file"), c.get<std::string>("code")});
        c.done();
        if (const std::string &file = t.candidates.back().file;
            file.empty() || file[0] == '/' || file.find("..") != std::string::npos)
            throw Error("candidate " + t.candidates.back().id, "names a file outside of the kit: " + file);
    }
    for (const json &item : f.get<std::vector<json>>("twins")) {
        Fields w(item, "twin");
        t.twins.push_back({w.get<std::string>("id"), parse_knobs(w.get<std::string>("knobs")),
                           w.get<std::string>("same_as")});
        w.done();
        bool known = std::any_of(t.candidates.begin(), t.candidates.end(),
                                 [&](auto &c) { return c.id == t.twins.back().same_as; });
        if (!known) throw Error("twin " + t.twins.back().id, "is that of no candidate");
    }
}

KitTask read_task(const json &object, size_t number) {
    Fields f(object, fmt::format("task {}", number));
    KitTask t;
    t.op = f.get<std::string>("op");
    t.op_version = f.get<int>("op_version");
    t.spec.choices = f.get<std::map<std::string, std::string>>("choices");
    t.spec.fixed = f.get<Dims>("fixed");
    t.isa = f.get<std::string>("isa");
    t.shapes = shapes_of(f.get<std::vector<std::string>>("shapes"));
    t.check_shapes = shapes_of(f.get<std::vector<std::string>>("check_shapes"));
    t.by_default = shapes_of(f.get<std::vector<std::string>>("by_default"));
    read_candidates(f, t);
    f.done();
    if (t.candidates.empty() || t.shapes.empty())
        throw Error(fmt::format("task {}", number), "has no candidate or no shape");
    return t;
}

// Every id once, every task with a contract that allows it.
void check_whole(const Manifest &m) {
    std::set<std::string> ids;
    for (const KitTask &t : m.tasks) {
        const Contract &c = m.contract(t.op);
        check(c, t.spec);
        if (c.version != t.op_version)
            throw Error("task " + t.text(), fmt::format("is for version {} of the op, the contract is of {}",
                                                        t.op_version, c.version));
        for (const KitCandidate &k : t.candidates)
            if (!ids.insert(k.id).second) throw Error("candidate " + k.id, "is there twice");
    }
}

} // namespace

std::string KitTask::text() const {
    std::string t = op;
    for (const std::string &part : {spec.text(), isa})
        if (!part.empty()) t += " " + part;
    return t;
}

const Contract &Manifest::contract(const std::string &op) const {
    auto at = contracts.find(op);
    if (at == contracts.end()) throw Error("kit", "brings no contract of " + op);
    return at->second;
}

std::string Manifest::text() const {
    json all = {{"format", newest_format},      {"compiler", compiler},   {"search_rounds", search_rounds},
                {"final_rounds", final_rounds}, {"finalists", finalists}, {"tasks", json::array()}};
    for (const auto &[name, c] : contracts) all["contracts"][name] = contract_to_json(c);
    for (const KitTask &t : tasks) all["tasks"].push_back(to_json(t));
    return all.dump(1) + "\n";
}

std::string Manifest::id() const { return content_hash(text()); }

Manifest parse_manifest(const std::string &text, const std::string &source) {
    json all = json::parse(text, nullptr, false);
    if (!all.is_object()) throw Error(source, "is not a JSON object");
    try {
        // First of all, since nothing else is sure of another format.
        Fields f(all, "the manifest");
        if (int format = f.get<int>("format"); format != Manifest::newest_format)
            throw Error(fmt::format("has format {}, this program reads {}", format, Manifest::newest_format));
        Manifest m;
        m.compiler = f.get<std::string>("compiler");
        m.search_rounds = f.get<int>("search_rounds");
        m.final_rounds = f.get<int>("final_rounds");
        m.finalists = f.get<size_t>("finalists");
        for (const auto &[name, c] : f.get<std::map<std::string, json>>("contracts"))
            m.contracts[name] = contract_from_json(c);
        for (const json &task : f.get<std::vector<json>>("tasks"))
            m.tasks.push_back(read_task(task, m.tasks.size() + 1));
        f.done();
        if (m.search_rounds < 1 || m.final_rounds < 1) throw Error("asks for no rounds");
        check_whole(m);
        return m;
    } catch (const Error &e) {
        throw Error(source, e.what());
    }
}

Manifest load_manifest(const std::string &kit) {
    std::string path = kit + "/manifest.json";
    return parse_manifest(file_contents(path), path);
}

std::string content_hash(const std::string &bytes) {
    uint64_t hash = 14695981039346656037u;
    for (unsigned char c : bytes) hash = (hash ^ c) * 1099511628211u;
    return fmt::format("{:016x}", hash);
}

std::string file_contents(const std::string &path) {
    std::ifstream in(path, std::ios::binary);
    if (!in.is_open()) throw Error(path, "cannot be read");
    std::string text{std::istreambuf_iterator<char>(in), {}};
    if (in.bad()) throw Error(path, "cannot be read");
    return text;
}

std::vector<Dims> all_shapes(const KitTask &task) {
    std::set<Dims> all(task.check_shapes.begin(), task.check_shapes.end());
    all.insert(task.shapes.begin(), task.shapes.end());
    for (const Dims &shape : task.by_default) all.erase(shape);
    std::vector<Dims> ordered(all.begin(), all.end());
    ordered.insert(ordered.end(), task.by_default.begin(), task.by_default.end());
    return ordered;
}

} // namespace ks::tune
