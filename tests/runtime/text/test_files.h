// SPDX-License-Identifier: Apache-2.0
// Where the tokenizer tests find their data, and temporary files for changed copies of it.
#pragma once
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

inline std::string data_file(const std::string &name) {
    return (std::filesystem::path(__FILE__).parent_path() / "data" / name).string();
}

inline nlohmann::json json_of(const std::string &path) {
    std::ifstream in(path);
    if (!in) throw std::runtime_error("cannot open " + path);
    return nlohmann::json::parse(in);
}

// A file of the given content that goes away with the object.
class TemporaryFile {
  public:
    explicit TemporaryFile(const std::string &content) {
        static std::atomic<int> count{0};
        const std::string name =
            "ks_text_" + std::to_string(getpid()) + "_" + std::to_string(count++) + ".json";
        path_ = (std::filesystem::temp_directory_path() / name).string();
        std::ofstream(path_, std::ios::binary) << content;
    }
    ~TemporaryFile() { std::remove(path_.c_str()); }
    TemporaryFile(const TemporaryFile &) = delete;
    TemporaryFile &operator=(const TemporaryFile &) = delete;
    const std::string &path() const { return path_; }

  private:
    std::string path_;
};
