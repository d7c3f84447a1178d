// SPDX-License-Identifier: Apache-2.0
// Fields of a config object, read with type and range checks.
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace ks::model {

// A view of one JSON object; `prefix` ("ssm_cfg.") stands before field names in errors. A field that is null
// counts as absent. All members throw ks::Error(source, field and cause).
class Fields {
  public:
    Fields(const std::string &source, const nlohmann::json &object, const std::string &prefix = "");

    bool has(const char *name) const { return get(name) != nullptr; }
    const nlohmann::json *get(const char *name) const; // null when absent

    int64_t size(const char *name, int64_t limit) const; // required, in [1, limit]
    int64_t size_or(const char *name, int64_t limit, int64_t fallback) const;
    bool flag(const char *name, bool fallback) const;
    double small(const char *name, double fallback) const; // in (0, 0.1]: an epsilon
    std::string text(const char *name, const std::string &fallback) const;
    std::vector<int> ids(const char *name) const; // one id or a list of ids; empty when absent

    [[noreturn]] void fail(const char *name, const std::string &cause) const;

  private:
    std::string source_, prefix_;
    const nlohmann::json &object_;
};

} // namespace ks::model
