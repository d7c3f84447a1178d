// SPDX-License-Identifier: Apache-2.0
#include "runtime/base/error.h"
#include "runtime/cli/common.h"
#include "runtime/text/sampler.h"
#include "runtime/text/utf8_stream.h"
#include <cstdio>

namespace ks::cli {

namespace {

struct Options {
    ModelFlags model;
    std::string prompt, prompt_file, state_in, state_out;
    int tokens = 128;
    text::SamplerOptions sampler;
};

void emit(const std::string &text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

void generate(const Options &o) {
    std::string prompt = o.prompt_file.empty() ? o.prompt : read_file(o.prompt_file);
    text::Tokenizer tokenizer = o.model.load_tokenizer();
    auto model = o.model.load();
    model::State state(model->config(), 1);
    if (!o.state_in.empty()) state.load(o.state_in);
    std::vector<int> ids = tokenizer.encode(prompt);
    if (ids.empty() && tokenizer.end_of_text() >= 0) ids.push_back(tokenizer.end_of_text()); // a text begins
    if (ids.empty()) throw Error("--prompt", "is empty, and the tokenizer has no token that begins a text");
    text::Sampler sampler(o.sampler, static_cast<int>(std::min<int64_t>(tokenizer.size(), model->config().vocab)));

    double start = seconds_now();
    size_t prompt_tokens = ids.size();
    const float *logits = model->prefill(state, 0, ids.data(), ids.size());
    double prefilled = seconds_now();
    emit(prompt);
    text::Utf8Stream stream;
    ids.reserve(ids.size() + static_cast<size_t>(o.tokens));
    int made = 0;
    for (; made < o.tokens; made++) {
        int id = sampler.sample(logits, ids.data(), ids.size());
        if (id == tokenizer.end_of_text()) break;
        ids.push_back(id);
        emit(stream.feed(tokenizer.bytes_of(id)));
        int one = 1;
        logits = model->forward(state, {0, 1, &id, &one}, model::Logits::last);
    }
    emit(stream.flush() + "\n");
    double end = seconds_now();
    if (!o.state_out.empty()) state.save(o.state_out);
    std::fprintf(stderr, "ks: prompt %zu tokens, %.1f tokens/s; generated %d tokens, %.1f tokens/s\n", prompt_tokens,
                 static_cast<double>(prompt_tokens) / (prefilled - start), made, made / (end - prefilled));
}

} // namespace

void add_generate(CLI::App &app, Run &run) {
    auto o = std::make_shared<Options>();
    CLI::App *verb = app.add_subcommand("generate", "continue a prompt");
    o->model.add(*verb);
    o->model.add_tokenizer(*verb);
    auto *prompt = verb->add_option("-p,--prompt", o->prompt, "text to continue");
    verb->add_option("-f,--file", o->prompt_file, "file with the text to continue")->excludes(prompt);
    verb->add_option("-n,--n-predict", o->tokens, "tokens to make at most")->check(CLI::Range(0, 1 << 24));
    verb->add_option("--temp", o->sampler.temperature, "temperature; 0 takes the likeliest");
    verb->add_option("--top-k", o->sampler.top_k, "of the likeliest k; 0: all");
    verb->add_option("--top-p", o->sampler.top_p, "of the likeliest that make up p; 1: all");
    verb->add_option("--repeat-penalty", o->sampler.repeat_penalty, "for tokens seen lately; 1: none");
    verb->add_option("--repeat-last-n", o->sampler.repeat_last_n, "how many tokens are lately");
    verb->add_option("-s,--seed", o->sampler.seed, "of the sampler");
    verb->add_option("--state-in", o->state_in, "go on from a saved state");
    verb->add_option("--state-out", o->state_out, "save the state at the end");
    verb->callback([o, &run] { run = [o] { generate(*o); }; });
}

} // namespace ks::cli
