// SPDX-License-Identifier: Apache-2.0
// From a model's configuration to tuning tasks: the products, scans and convolutions of its layers.
#include "autotune/tasks.h"
#include "runtime/base/error.h"
#include "runtime/io/checkpoint.h"
#include "runtime/model/config.h"
#include <set>

namespace ks::tune {

namespace {

using Shape = std::map<std::string, std::string>;

struct Collector {
    std::string dtype, isa;
    std::vector<Task> tasks;

    bool gpu() const { return isa == "cuda"; }
    // Between products: a GPU keeps the weights' storage, a CPU f32.
    std::string io() const { return gpu() ? dtype : "f32"; }

    void add(const std::string &op, const Shape &shape) { add_task(tasks, task_of(op, shape, isa)); }

    // A GPU takes weights as checkpoints have them. Elsewhere the number of panels depends on the panel
    // width, which is a choice of the op's default.
    void product(const std::string &op, int64_t K, int64_t N, Shape shape = {}) {
        shape["weight"] = dtype;
        if (gpu()) {
            Shape rows = {{"panel", "1"}, {"io", dtype}, {"out", dtype}, {"P", std::to_string(N)}};
            shape.insert(rows.begin(), rows.end());
            shape["K"] = std::to_string(K);
            return add(op, shape);
        }
        if (isa == "avx512_bf16" && dtype == "bf16") shape["io"] = "bf16"; // as the runtime multiplies there
        shape["K"] = std::to_string(K);
        shape["P"] = "1";
        int64_t lanes = std::stoll(task_of(op, shape, isa).spec.choice("panel"));
        shape["P"] = std::to_string((N + lanes - 1) / lanes);
        add(op, shape);
    }
};

Shape activation_of(const model::Config &c) {
    return {{"act", c.activation == model::Activation::silu ? "silu" : "gelu_erf"},
            {"halves", c.gated ? "2" : "1"}};
}

// All experts of a layer at once, in tiles of as many slots as calls of few and of many tokens want.
void grouped_experts(Collector &all, const model::Config &c, int experts) {
    std::vector<int> slots = {1, 8};
    if (all.dtype != "f32") slots.insert(slots.end(), {64, 128}); // tensor cores
    for (int B : slots) {
        Shape up = {{"io", all.dtype},
                    {"weight", all.dtype},
                    {"B", std::to_string(B)},
                    {"E", std::to_string(experts)}};
        Shape down = up, activation = activation_of(c);
        up.insert({{"K", std::to_string(c.hidden)}, {"F", std::to_string(c.ffn)}});
        up.insert(activation.begin(), activation.end());
        down.insert({{"K", std::to_string(c.ffn)}, {"N", std::to_string(c.hidden)}, {"out", all.dtype}});
        all.add("grouped_expert_up", up);
        all.add("grouped_expert_down", down);
    }
}

} // namespace

std::vector<Task> model_tasks(const std::string &folder, const std::string &dtype, const std::string &isa) {
    io::Checkpoint checkpoint(folder);
    model::Config c = model::parse_config(checkpoint.config_path(), checkpoint.config());
    Collector all{dtype.empty() ? name_of(checkpoint.storage()) : dtype, isa, {}};
    bool mixers = false;
    std::set<int> experts; // numbers of them
    for (const auto &l : c.layers) {
        mixers |= l.mixer;
        if (l.experts) experts.insert(l.experts);
    }
    if (mixers) {
        Shape widths = {{"io", all.io()}, {"D", std::to_string(c.inner)}, {"N", std::to_string(c.state)}};
        all.add("selective_scan", widths);
        all.add("selective_state_update", widths);
        all.product("linear", c.hidden, 2 * c.inner);
        all.product("linear", c.inner, c.dt_rank + 2 * c.state);
        all.product("linear", c.dt_rank, c.inner);
        all.product("linear", c.inner, c.hidden);
        all.add("causal_conv1d",
                {{"io", all.io()}, {"D", std::to_string(c.inner)}, {"W", std::to_string(c.conv_width)}});
    }
    if (all.gpu()) {
        for (int number : experts) grouped_experts(all, c, number);
    } else if (!experts.empty()) {
        all.product("expert_up", c.hidden, c.ffn, activation_of(c));
        all.product("expert_down", c.ffn, c.hidden);
    }
    all.product("linear", c.hidden, c.vocab);
    return all.tasks;
}

} // namespace ks::tune
