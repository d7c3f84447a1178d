// SPDX-License-Identifier: Apache-2.0
// From a model's configuration to tuning tasks: the products, scans and convolutions of its layers.
#include "autotune/tasks.h"
#include "runtime/base/error.h"
#include "runtime/io/checkpoint.h"
#include "runtime/model/config.h"

namespace ks::tune {

namespace {

using Shape = std::map<std::string, std::string>;

struct Collector {
    std::string dtype, isa;
    std::vector<Task> tasks;

    void add(const std::string &op, const Shape &shape) { add_task(tasks, task_of(op, shape, isa)); }

    // The number of panels depends on the panel width, which is a choice of the op's default.
    void product(const std::string &op, int64_t K, int64_t N, Shape shape = {}) {
        shape["weight"] = dtype;
        if (isa == "avx512_bf16" && dtype == "bf16") shape["io"] = "bf16"; // as the runtime multiplies there
        shape["K"] = std::to_string(K);
        shape["P"] = "1";
        int64_t lanes = std::stoll(task_of(op, shape, isa).spec.choice("panel"));
        shape["P"] = std::to_string((N + lanes - 1) / lanes);
        add(op, shape);
    }
};

} // namespace

std::vector<Task> model_tasks(const std::string &folder, const std::string &dtype, const std::string &isa) {
    io::Checkpoint checkpoint(folder);
    model::Config c = model::parse_config(checkpoint.config_path(), checkpoint.config());
    Collector all{dtype.empty() ? name_of(checkpoint.storage()) : dtype, isa, {}};
    bool mixers = false, mlps = false;
    for (const auto &l : c.layers) mixers |= l.mixer, mlps |= l.experts > 0;
    if (mixers) {
        Shape widths = {{"io", "f32"}, {"D", std::to_string(c.inner)}, {"N", std::to_string(c.state)}};
        all.add("selective_scan", widths);
        all.add("selective_state_update", widths);
        all.product("linear", c.hidden, 2 * c.inner);
        all.product("linear", c.inner, c.dt_rank + 2 * c.state);
        all.product("linear", c.dt_rank, c.inner);
        all.product("linear", c.inner, c.hidden);
        all.add("causal_conv1d",
                {{"io", "f32"}, {"D", std::to_string(c.inner)}, {"W", std::to_string(c.conv_width)}});
    }
    if (mlps) {
        all.product("expert_up", c.hidden, c.ffn,
                    {{"act", c.activation == model::Activation::silu ? "silu" : "gelu_erf"},
                     {"halves", c.gated ? "2" : "1"}});
        all.product("expert_down", c.ffn, c.hidden);
    }
    all.product("linear", c.hidden, c.vocab);
    return all.tasks;
}

} // namespace ks::tune
