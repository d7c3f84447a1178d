// SPDX-License-Identifier: Apache-2.0
#include "tests/support/random_model.h"
#include "tests/oracles/rounding.h"
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>
#include <unistd.h>

namespace ks::test {

using nlohmann::json;

oracle::ModelConfig small_config(const std::vector<std::string> &layers, int hidden, int states,
                                 int conv_width) {
    oracle::ModelConfig c;
    c.mixer = {hidden, 2 * hidden, states, conv_width, (hidden + 15) / 16, true};
    c.vocab = 67;
    c.layers = layers;
    c.ffn = hidden + 12;
    return c;
}

RandomModel::RandomModel(const oracle::ModelConfig &config, const std::string &storage, int seed)
    : config_(config), storage_(storage), seed_(static_cast<unsigned>(seed)) {
    std::string pattern = (std::filesystem::temp_directory_path() / "ks-model-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("mkdtemp");
    folder_ = pattern;
    int64_t H = config.mixer.hidden;
    add("embedding.word_embeddings.weight", {config.vocab, H}, 1);
    for (size_t i = 0; i < config.layers.size(); i++) {
        const std::string &kind = config.layers[i];
        std::string at = "decoder.layers." + std::to_string(i) + ".";
        bool mixer = kind[0] == 'r', parallel = mixer && kind.size() > 1;
        add(at + "norm.weight", {H}, 0.2, 1);
        if (mixer) add_mixer(at + "mixer.");
        if (parallel) add(at + "norm_moe.weight", {H}, 0.2, 1);
        if (!mixer || parallel) add_mlp(at + (parallel ? "moe." : "mixer."), kind.back() - '0');
    }
    add("decoder.final_layernorm.weight", {H}, 0.2, 1);
    add("decoder.final_layernorm.bias", {H}, 0.2);
    write_config();
    write_weights(storage);
}

RandomModel::~RandomModel() { std::filesystem::remove_all(folder_); }

void RandomModel::add(const std::string &key, std::vector<int64_t> shape, double scale, double offset) {
    std::mt19937 generator(++seed_ * 7919);
    std::normal_distribution<double> normal(offset, scale);
    size_t count = 1;
    for (int64_t n : shape) count *= static_cast<size_t>(n);
    Tensor t{std::move(shape), std::vector<double>(count)};
    for (double &v : t.values) {
        v = static_cast<float>(normal(generator));
        if (storage_ == "bf16") v = oracle::to_bf16(v);
    }
    tensors_[key] = std::move(t);
}

void RandomModel::add_mixer(const std::string &at) {
    const auto &m = config_.mixer;
    int64_t H = m.hidden, Di = m.inner, N = m.states, R = m.dt_rank;
    auto fan = [](int64_t n) { return 1 / std::sqrt(static_cast<double>(n)); };
    add(at + "in_proj.weight", {2 * Di, H}, fan(H));
    add(at + "conv1d.weight", {Di, 1, m.conv_width}, 0.5);
    add(at + "conv1d.bias", {Di}, 0.2);
    add(at + "x_proj.weight", {R + 2 * N, Di}, fan(Di));
    add(at + "dt_proj.weight", {Di, R}, fan(R));
    add(at + "dt_proj.bias", {Di}, 1, -3);
    add(at + "A_log", {Di, N}, 0.7, 0.5);
    add(at + "D", {Di}, 0.3, 1);
    add(at + "out_proj.weight", {H, Di}, fan(Di));
}

void RandomModel::add_mlp(const std::string &at, int experts) {
    int64_t H = config_.mixer.hidden, F = config_.ffn, halves = config_.gated ? 2 : 1;
    auto expert = [&](const std::string &e) {
        add(e + "linear_fc1.weight", {halves * F, H}, 1 / std::sqrt(static_cast<double>(H)));
        add(e + "linear_fc2.weight", {H, F}, 1 / std::sqrt(static_cast<double>(F)));
    };
    if (experts == 1) return expert(at);
    add(at + "router.weight", {experts, H}, 0.5);
    add(at + "router.bias", {experts}, 0.5);
    for (int e = 0; e < experts; e++) expert(at + "local_experts." + std::to_string(e) + ".");
}

void RandomModel::write_config() const {
    json c = {{"num_layers", config_.layers.size()},
              {"hidden_size", config_.mixer.hidden},
              {"state_size", config_.mixer.states},
              {"conv_dimension", config_.mixer.conv_width},
              {"expansion_factor", 2},
              {"mamba_moe_layers", config_.layers},
              {"ffn_hidden_size", config_.ffn},
              {"vocab_size", config_.vocab},
              {"max_sequence_length", 64},
              {"swiglu", config_.gated},
              {"add_bias_linear", false},
              {"activation", config_.activation == oracle::Activation::silu ? "silu" : "gelu_erf"}};
    std::ofstream(folder_ + "/config.json") << c.dump();
}

void RandomModel::write_weights(const std::string &storage) const {
    json header = json::object();
    std::string data;
    for (const auto &[key, t] : tensors_) {
        size_t begin = data.size();
        for (double v : t.values) {
            auto f = static_cast<float>(v);
            uint32_t bits;
            std::memcpy(&bits, &f, 4);
            if (storage == "bf16")
                data.append({static_cast<char>(bits >> 16), static_cast<char>(bits >> 24)});
            else
                data.append(reinterpret_cast<const char *>(&bits), 4);
        }
        header[key] = {{"dtype", storage == "bf16" ? "BF16" : "F32"},
                       {"shape", t.shape},
                       {"data_offsets", {begin, data.size()}}};
    }
    std::string text = header.dump();
    text.append((8 - text.size() % 8) % 8, ' ');
    uint64_t length = text.size();
    std::ofstream out(folder_ + "/model.safetensors", std::ios::binary);
    out.write(reinterpret_cast<const char *>(&length), 8);
    out << text << data;
}

oracle::WeightSource RandomModel::weights() const {
    return [this](const std::string &key) { return tensors_.at(key).values; };
}

} // namespace ks::test
