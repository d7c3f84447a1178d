// SPDX-License-Identifier: Apache-2.0
// Stricter than the released code, which takes the last character only and would read "16" as six experts.
#include "runtime/model/layer_pattern.h"
#include "runtime/base/error.h"
#include "runtime/io/bytes.h"

namespace ks::model {

namespace {

bool parse_entry(const std::string &entry, Layer &layer) {
    size_t at = 0;
    layer.mixer = !entry.empty() && entry[0] == 'r';
    if (layer.mixer) ++at;
    if (at == entry.size()) return layer.mixer;
    if (entry.size() != at + 1 || entry[at] < '1' || entry[at] > '9') return false;
    layer.experts = entry[at] - '0';
    return true;
}

} // namespace

std::vector<Layer> parse_layers(const std::string &source, const nlohmann::json &field, int64_t count) {
    if (!field.is_array()) throw Error(source, "mamba_moe_layers is not a list");
    if (field.empty()) return std::vector<Layer>(static_cast<size_t>(count), Layer{true, 0});
    if (static_cast<int64_t>(field.size()) != count)
        throw Error(source, "mamba_moe_layers has " + std::to_string(field.size()) + " entries for " +
                                std::to_string(count) + " layers");
    std::vector<Layer> layers(field.size());
    for (size_t i = 0; i < field.size(); ++i) {
        const std::string where = "mamba_moe_layers[" + std::to_string(i) + "]";
        if (!field[i].is_string()) throw Error(source, where + " is not text");
        const auto &entry = field[i].get_ref<const std::string &>();
        if (!parse_entry(entry, layers[i]))
            throw Error(source, where + " is " + io::shown(entry) +
                                    ": expected \"r\", a digit 1 to 9, or \"r\" and such a digit");
    }
    return layers;
}

} // namespace ks::model
