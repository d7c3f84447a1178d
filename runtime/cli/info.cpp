// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/common.h"
#include <fmt/format.h>
#include <map>

namespace ks::cli {

namespace {

std::string kind(const model::Layer &l) {
    std::string mlp = l.experts == 1 ? "MLP" : l.experts ? fmt::format("{} experts", l.experts) : "";
    if (!l.mixer) return mlp;
    return l.experts ? "Mamba beside " + mlp : "Mamba";
}

void info(const std::string &folder) {
    io::Checkpoint checkpoint(folder);
    model::Config c = model::parse_config(checkpoint.config_path(), checkpoint.config());
    std::map<std::string, int> kinds;
    int64_t mixers = 0;
    for (const auto &l : c.layers) kinds[kind(l)]++, mixers += l.mixer;
    std::map<std::string, int64_t> types;
    for (const auto &name : checkpoint.names()) {
        if (c.tie_embeddings && name == "lm_head.weight") continue;
        types[name_of(checkpoint.at(name).dtype)] += checkpoint.at(name).elements();
    }
    const char *families[] = {"BlackMamba", "Mamba-1 (native)", "Mamba-1 (transformers)"};
    fmt::print("family             {}\nlayers             {}\n", families[static_cast<int>(c.family)],
               c.layers.size());
    for (const auto &[name, count] : kinds) fmt::print("  {:<16} {}\n", name, count);
    fmt::print("hidden             {}\ninner              {}\nstates             {}\nconvolution        "
               "{}\ndt rank            {}\n",
               c.hidden, c.inner, c.state, c.conv_width, c.dt_rank);
    if (c.ffn)
        fmt::print("expert width       {}\nactivation         {}{}\n", c.ffn,
                   c.activation == model::Activation::silu ? "silu" : "gelu_erf", c.gated ? ", gated" : "");
    fmt::print("vocabulary         {} rows\nparameters         {} total, {} active per token\n", c.vocab,
               count_parameters(checkpoint, c, false), count_parameters(checkpoint, c, true));
    for (const auto &[type, count] : types) fmt::print("  {:<16} {}\n", type, count);
    fmt::print("state              {} bytes per sequence (f32)\n",
               mixers * c.inner * (c.state + c.conv_width - 1) * 4);
}

} // namespace

void add_info(CLI::App &app, Run &run) {
    auto folder = std::make_shared<std::string>();
    CLI::App *verb = app.add_subcommand("info", "layers, parameters and state size of a model");
    verb->add_option("-m,--model", *folder, "model folder")->required();
    verb->callback([folder, &run] { run = [folder] { info(*folder); }; });
}

} // namespace ks::cli
