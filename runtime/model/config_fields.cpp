// SPDX-License-Identifier: Apache-2.0
// Range checks: a size is a positive JSON integer, never a float or a text.
#include "runtime/model/config_fields.h"
#include "runtime/base/error.h"
#include "runtime/io/bytes.h"
#include <limits>

namespace ks::model {

using nlohmann::json;

namespace {

// An integer in [0, limit]. Unsigned first: a value beyond int64 would turn negative.
bool whole(const json &value, int64_t limit, int64_t &out) {
    if (!value.is_number_integer()) return false;
    if (value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(limit)) return false;
    out = value.get<int64_t>();
    return out >= 0 && out <= limit;
}

} // namespace

Fields::Fields(const std::string &source, const json &object, const std::string &prefix)
    : source_(source), prefix_(prefix), object_(object) {
    if (!object.is_object())
        throw Error(source, prefix.empty() ? "is not a JSON object" : prefix + " is no object");
}

const json *Fields::get(const char *name) const {
    auto found = object_.find(name);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
}

int64_t Fields::size(const char *name, int64_t limit) const {
    const json *value = get(name);
    if (!value) fail(name, "is missing");
    int64_t number = 0;
    if (!whole(*value, limit, number) || number < 1)
        fail(name, "is not an integer from 1 to " + std::to_string(limit));
    return number;
}

int64_t Fields::size_or(const char *name, int64_t limit, int64_t fallback) const {
    return has(name) ? size(name, limit) : fallback;
}

bool Fields::flag(const char *name, bool fallback) const {
    const json *value = get(name);
    if (!value) return fallback;
    if (!value->is_boolean()) fail(name, "is neither true nor false");
    return value->get<bool>();
}

double Fields::small(const char *name, double fallback) const {
    const json *value = get(name);
    if (!value) return fallback;
    const double number = value->is_number() ? value->get<double>() : 0.0;
    if (!(number > 0.0 && number <= 0.1)) fail(name, "is not a number above 0 and at most 0.1");
    return number;
}

std::string Fields::text(const char *name, const std::string &fallback) const {
    const json *value = get(name);
    if (!value) return fallback;
    if (!value->is_string()) fail(name, "is not text");
    return value->get<std::string>();
}

std::vector<int> Fields::ids(const char *name) const {
    const json *value = get(name);
    std::vector<int> out;
    if (!value) return out;
    const json list = value->is_array() ? *value : json::array({*value});
    for (const json &id : list) {
        int64_t number = 0;
        if (!whole(id, std::numeric_limits<int>::max(), number))
            fail(name, "is neither a token id nor a list of them");
        out.push_back(static_cast<int>(number));
    }
    return out;
}

void Fields::fail(const char *name, const std::string &cause) const {
    throw Error(source_, prefix_ + name + " " + cause);
}

} // namespace ks::model
