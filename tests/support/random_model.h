// SPDX-License-Identifier: Apache-2.0
// Random BlackMamba checkpoints of any widths and layer kinds, written as a folder and known to the oracle.
#pragma once
#include "tests/oracles/blackmamba_model.h"
#include <map>
#include <string>
#include <vector>

namespace ks::test {

class RandomModel {
  public:
    // `storage` f32 or bf16: the values are rounded to it, in the file and in weights() alike.
    RandomModel(const oracle::ModelConfig &config, const std::string &storage, int seed);
    ~RandomModel();
    RandomModel(const RandomModel &) = delete;

    const std::string &folder() const { return folder_; }
    const oracle::ModelConfig &config() const { return config_; }
    oracle::WeightSource weights() const;

  private:
    void add(const std::string &key, std::vector<int64_t> shape, double scale, double offset = 0);
    void add_mixer(const std::string &at);
    void add_mlp(const std::string &at, int experts);
    void write_config() const;
    void write_weights(const std::string &storage) const;

    struct Tensor {
        std::vector<int64_t> shape;
        std::vector<double> values;
    };
    oracle::ModelConfig config_;
    std::string folder_, storage_;
    unsigned seed_;
    std::map<std::string, Tensor> tensors_;
};

// A small configuration with these layers.
oracle::ModelConfig small_config(const std::vector<std::string> &layers, int hidden, int states = 16,
                                 int conv_width = 4);

} // namespace ks::test
