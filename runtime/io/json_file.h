// SPDX-License-Identifier: Apache-2.0
// JSON from untrusted files: parsed under limits, duplicate keys refused, every failure one line.
#pragma once
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace ks::io {

struct JsonLimits {
    size_t bytes = size_t{16} << 20; // of text
    int depth = 32;                  // of nested arrays and objects
    size_t values = size_t{4} << 20; // keys, scalars, arrays and objects together: bounds the memory
};

// `source` is the file name that begins every error. Throws ks::Error for text that is not one JSON value,
// breaks a limit or has a key twice in one object.
nlohmann::json parse_json(const std::string &source, std::string_view text, const JsonLimits &limits = {});
nlohmann::json parse_json_file(const std::string &path, const JsonLimits &limits = {});

// Token ids from a file holding [[1, 2], [3]], or one flat list [1, 2] (one sequence). An id is an integer in
// [0, 2^31). At most 64 MiB of text. The ids are not checked against a vocabulary.
std::vector<std::vector<int>> read_token_lists(const std::string &path);

} // namespace ks::io
