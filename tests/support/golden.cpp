// SPDX-License-Identifier: Apache-2.0
// Reads the files of tests/golden/; little-endian machines only, like the files.
#include "tests/support/golden.h"

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace ks::test {
namespace {

std::string bytes_of(const std::string &path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw std::runtime_error(path + ": can't be opened");
    return {std::istreambuf_iterator<char>(in), {}};
}

template <typename T>
std::vector<T> elements(const std::string &bytes, size_t offset, size_t count) {
    if (offset > bytes.size() || count * sizeof(T) > bytes.size() - offset)
        throw std::runtime_error("golden data: past the end of the file");
    std::vector<T> v(count);
    std::memcpy(v.data(), bytes.data() + offset, count * sizeof(T));
    return v;
}

size_t count_of(const nlohmann::json &shape) {
    size_t count = 1;
    for (const auto &dimension : shape) count *= dimension.get<size_t>();
    return count;
}

} // namespace

std::string golden_path(const std::string &name) {
    return (std::filesystem::path(__FILE__).parent_path().parent_path() / "golden" / name).string();
}

std::vector<GoldenCase> read_golden(const std::string &folder) {
    const auto index = nlohmann::json::parse(bytes_of(folder + "/golden.json"));
    const std::string data = bytes_of(folder + "/golden.f32");
    std::vector<GoldenCase> cases;
    for (const auto &entry : index.at("cases")) {
        GoldenCase c;
        c.tokens = entry.at("tokens").get<std::vector<int>>();
        c.vocab = entry.at("vocab").get<int>();
        c.logits = elements<float>(data, entry.at("offset").get<size_t>() * sizeof(float),
                                   c.tokens.size() * static_cast<size_t>(c.vocab));
        cases.push_back(c);
    }
    return cases;
}

Tensors read_safetensors(const std::string &path) {
    const std::string bytes = bytes_of(path);
    const size_t header = elements<uint64_t>(bytes, 0, 1)[0];
    Tensors tensors;
    if (header > bytes.size() - 8) throw std::runtime_error(path + ": header past the end of the file");
    const auto index = nlohmann::json::parse(bytes.substr(8, header));
    for (const auto &[key, entry] : index.items()) {
        if (key == "__metadata__") continue;
        if (entry.at("dtype") != "F32") throw std::runtime_error(path + ": " + key + " is not F32");
        const size_t offset = 8 + header + entry.at("data_offsets").at(0).get<size_t>();
        const auto values = elements<float>(bytes, offset, count_of(entry.at("shape")));
        tensors[key].assign(values.begin(), values.end());
    }
    return tensors;
}

Tensors read_indexed_bf16(const std::string &folder) {
    const std::string bytes = bytes_of(folder + "/pytorch_model.bin");
    const auto index = nlohmann::json::parse(bytes_of(folder + "/index.json"));
    Tensors tensors;
    for (const auto &[key, entry] : index.items())
        for (uint16_t half :
             elements<uint16_t>(bytes, entry.at("offset").get<size_t>(), count_of(entry.at("shape")))) {
            const uint32_t wide = static_cast<uint32_t>(half) << 16;
            float f;
            std::memcpy(&f, &wide, sizeof f);
            tensors[key].push_back(f);
        }
    return tensors;
}

} // namespace ks::test
