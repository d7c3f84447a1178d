// SPDX-License-Identifier: Apache-2.0
// nlohmann::json behind a parse callback that counts values, depth and keys.
#include "runtime/io/json_file.h"
#include "runtime/base/error.h"
#include "runtime/io/bytes.h"
#include "runtime/io/mapped_file.h"
#include <cstdint>
#include <limits>
#include <unordered_set>

namespace ks::io {

namespace {

using nlohmann::json;

// Sees every parse event and throws as soon as a limit is passed, before more is allocated.
class Watch {
  public:
    Watch(const std::string &source, const JsonLimits &limits) : source_(source), limits_(limits) {}

    void event(int depth, json::parse_event_t event, const json &parsed) {
        using Event = json::parse_event_t;
        bool starts = event == Event::object_start || event == Event::array_start;
        if (starts && depth >= limits_.depth)
            throw Error(source_, "JSON is nested deeper than " + std::to_string(limits_.depth) + " levels");
        if (starts || event == Event::key || event == Event::value) {
            if (++values_ > limits_.values)
                throw Error(source_, "JSON holds more than " + std::to_string(limits_.values) + " values");
        }
        auto level = static_cast<size_t>(depth);
        if (event == Event::object_start) {
            // The keys of an object are reported one level deeper than its start.
            if (keys_.size() < level + 2) keys_.resize(level + 2);
            keys_[level + 1].clear();
        }
        if (event == Event::key && !keys_.at(level).insert(parsed.get_ref<const std::string &>()).second)
            throw Error(source_, "key " + shown(parsed.get_ref<const std::string &>()) + " appears twice");
    }

  private:
    const std::string &source_;
    const JsonLimits &limits_;
    size_t values_ = 0;
    std::vector<std::unordered_set<std::string>> keys_; // of the open object of each level
};

// "[json.exception.parse_error.101] parse error at ..." without the tag, printable and short.
std::string cause_of(const json::exception &error) {
    std::string text = error.what();
    size_t end = text.find("] ");
    if (!text.empty() && text[0] == '[' && end != std::string::npos) text.erase(0, end + 2);
    std::string quoted = shown(text, 200);
    return "not valid JSON: " + quoted.substr(1, quoted.rfind('\'') - 1);
}

int token_of(const std::string &source, const json &value) {
    if (!value.is_number_integer() || value < 0 || value > std::numeric_limits<int>::max())
        throw Error(source, "token id " + shown(value.dump(-1, ' ', true, json::error_handler_t::replace)) +
                                " is not an integer in [0, 2^31)");
    return value.get<int>();
}

std::vector<int> tokens_of(const std::string &source, const json &list) {
    std::vector<int> out;
    out.reserve(list.size());
    for (const json &value : list) out.push_back(token_of(source, value));
    return out;
}

} // namespace

json parse_json(const std::string &source, std::string_view text, const JsonLimits &limits) {
    if (text.size() > limits.bytes)
        throw Error(source, "JSON text of " + std::to_string(text.size()) + " bytes is over the limit of " +
                                std::to_string(limits.bytes));
    Watch watch(source, limits);
    auto callback = [&](int depth, json::parse_event_t event, json &parsed) {
        watch.event(depth, event, parsed);
        return true;
    };
    try {
        return json::parse(text.begin(), text.end(), callback);
    } catch (const json::exception &error) {
        throw Error(source, cause_of(error));
    }
}

json parse_json_file(const std::string &path, const JsonLimits &limits) {
    MappedFile file(path);
    return parse_json(path, {reinterpret_cast<const char *>(file.data()), file.size()}, limits);
}

std::vector<std::vector<int>> read_token_lists(const std::string &path) {
    JsonLimits limits;
    limits.bytes = size_t{64} << 20;
    limits.values = size_t{32} << 20; // two characters make a value at least
    limits.depth = 2;
    json file = parse_json_file(path, limits);
    if (!file.is_array()) throw Error(path, "expected a list of token ids or a list of such lists");
    std::vector<std::vector<int>> out;
    if (file.empty() || !file[0].is_array()) {
        if (!file.empty()) out.push_back(tokens_of(path, file));
        return out;
    }
    for (const json &list : file) {
        if (!list.is_array()) throw Error(path, "mixes token ids and lists of token ids");
        out.push_back(tokens_of(path, list));
    }
    return out;
}

} // namespace ks::io
