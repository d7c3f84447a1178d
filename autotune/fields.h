// SPDX-License-Identifier: Apache-2.0
// Strict reading of JSON objects from files: every field must be there, of its type, and known.
#pragma once
#include "runtime/base/error.h"
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace ks::tune {

using json = nlohmann::json;

// An object read field by field. `name` says in errors (ks::Error, without the file) which one it is.
class Fields {
  public:
    Fields(const json &object, std::string name) : object_(object), name_(std::move(name)) {
        if (!object.is_object()) throw Error(name_ + " is not an object");
    }
    template <typename T>
    T get(const char *field) {
        seen_.insert(field);
        auto at = object_.find(field);
        if (at == object_.end()) throw Error(name_ + " has no \"" + field + "\"");
        try {
            return at->get<T>();
        } catch (const json::exception &) {
            throw Error("\"" + std::string(field) + "\" of " + name_ + " is of the wrong type");
        }
    }
    double number(const char *field) {
        double v = get<double>(field);
        if (!(v > 0) || !std::isfinite(v))
            throw Error("\"" + std::string(field) + "\" of " + name_ + " is not positive");
        return v;
    }
    bool has(const char *field) const { return object_.contains(field); }
    void done() const {
        for (const auto &[key, value] : object_.items())
            if (!seen_.count(key)) throw Error(name_ + " has an unknown field \"" + key + "\"");
    }

  private:
    const json &object_;
    std::string name_;
    std::set<std::string> seen_;
};

} // namespace ks::tune
