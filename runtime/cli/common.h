// SPDX-License-Identifier: Apache-2.0
// What the verbs of ks share: flags that load a model, its tokenizer, and how a verb is registered.
#pragma once
#include "runtime/model/model.h"
#include "runtime/text/tokenizer.h"
#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace ks::cli {

// A verb adds its flags to `app` and, when it was chosen, leaves what is to be done in `run`.
using Run = std::function<void()>;
void add_generate(CLI::App &app, Run &run);
void add_logits(CLI::App &app, Run &run);
void add_perplexity(CLI::App &app, Run &run);
void add_bench(CLI::App &app, Run &run);
void add_info(CLI::App &app, Run &run);
void add_op(CLI::App &app, Run &run);
void add_tokenize(CLI::App &app, Run &run);

struct ModelFlags {
    std::string folder, dtype, act, isa, tokenizer;
    int threads = 0;

    void add(CLI::App &verb);
    void add_tokenizer(CLI::App &verb);
    model::LoadOptions options(int64_t chunk = 512) const; // dtype: that of the flag, else of the checkpoint
    // Loads the model and says once, in one line, when tuned kernels would pay.
    std::unique_ptr<model::Model> load(int64_t chunk = 512) const;
    std::string tokenizer_path() const; // --tokenizer FILE, else the model folder's tokenizer.json
    text::Tokenizer load_tokenizer() const;
    // Ids of a text, each below `vocab`; throws ks::Error(tokenizer_path(), ...) when the two do not fit.
    std::vector<int> encode(const text::Tokenizer &with, const std::string &text, int64_t vocab) const;
};

// Parameters of a checkpoint; `active`: those that one token meets, of a Switch MLP one expert.
int64_t count_parameters(const io::Checkpoint &checkpoint, const model::Config &config, bool active);
DType storage_named(const std::string &name);   // f32, bf16 or f16; throws ks::Error for another
std::string read_file(const std::string &path); // throws ks::Error

} // namespace ks::cli
