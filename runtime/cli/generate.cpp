// SPDX-License-Identifier: Apache-2.0
// ks generate: continues a prompt, streaming; the text alone goes to standard output.
#include "runtime/base/clock.h"
#include "runtime/base/error.h"
#include "runtime/cli/common.h"
#include "runtime/cli/saved_text.h"
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
    bool seeded = false; // by a flag: else a saved text goes on with its own generator
};

void emit(const std::string &text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

void report(size_t prompt, double prefill, int made, double seconds) {
    std::fprintf(stderr, "ks: prompt %zu tokens", prompt);
    if (made) std::fprintf(stderr, ", %.1f tokens/s", static_cast<double>(prompt) / prefill);
    std::fprintf(stderr, "; generated %d tokens", made);
    if (made > 1)
        std::fprintf(stderr, ", %.1f tokens/s", (made - 1) / seconds); // the first came with the prompt
    std::fprintf(stderr, "\n");
}

void generate(const Options &o) {
    std::string prompt = o.prompt_file.empty() ? o.prompt : read_file(o.prompt_file);
    text::Tokenizer tokenizer = o.model.load_tokenizer();
    auto model = o.model.load();
    int64_t vocab = std::min<int64_t>(tokenizer.size(), model->config().vocab);
    int end = tokenizer.end_of_text();
    model::State state(model->config(), 1);
    text::Sampler sampler(o.sampler, static_cast<int>(vocab));
    text::Utf8Stream stream;
    std::vector<int> ids;
    size_t read = 0; // how many of ids the state has read
    if (!o.state_in.empty()) {
        SavedText before = load_text(o.state_in, *model, state);
        ids = std::move(before.ids);
        read = ids.size() - 1;
        if (!o.seeded) sampler.generator() = before.generator;
        for (int id : ids) stream.feed(tokenizer.bytes_of(id)); // it was shown, but for half a character
    }
    std::vector<int> asked = o.model.encode(tokenizer, prompt, vocab);
    ids.insert(ids.end(), asked.begin(), asked.end());
    if (ids.empty() && end >= 0 && end < vocab) ids.push_back(end); // a text begins
    if (ids.empty()) throw Error("--prompt", "is empty, and the tokenizer has no token that begins a text");

    size_t prompt_tokens = ids.size() - read;
    ids.reserve(ids.size() + static_cast<size_t>(o.tokens));
    if (!prompt.empty()) emit(stream.flush() + prompt);
    double start = seconds_now(), prefilled = start;
    int made = 0;
    while (made < o.tokens) {
        const float *logits = model->prefill(state, 0, ids.data() + read, ids.size() - read);
        read = ids.size();
        if (!made) prefilled = seconds_now();
        int id = sampler.sample(logits, ids.data(), ids.size());
        ids.push_back(id);
        if (id == end) break;
        emit(stream.feed(tokenizer.bytes_of(id)));
        made++;
    }
    // Half a character at the end of a part is shown with the next one.
    bool goes_on = !o.state_out.empty() && ids.back() != end;
    emit((goes_on ? "" : stream.flush()) + "\n");
    double seconds = seconds_now() - prefilled;
    if (!o.state_out.empty()) {
        if (ids.size() - read > 1) model->prefill(state, 0, ids.data() + read, ids.size() - read - 1); // -n 0
        save_text(o.state_out, *model, state, {ids, sampler.generator()});
    }
    report(prompt_tokens, prefilled - start, made, seconds);
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
    auto *seed =
        verb->add_option("-s,--seed", o->sampler.seed, "of the sampler (default: 0, or a saved text's own)");
    verb->add_option("--state-in", o->state_in,
                     "go on from a saved text, with the same tokens as without the stop");
    verb->add_option("--state-out", o->state_out,
                     "save the text: tokens, state of the model and of the sampler");
    verb->callback([o, seed, &run] {
        o->seeded = seed->count() > 0;
        run = [o] { generate(*o); };
    });
}

} // namespace ks::cli
