// SPDX-License-Identifier: Apache-2.0
#include "runtime/base/error.h"
#include "runtime/cli/common.h"
#include <algorithm>
#include <cmath>
#include <cstdio>

namespace ks::cli {

namespace {

struct Options {
    ModelFlags model;
    std::string file;
};

// -log p(id) in nats over the ids that mean something.
double surprise(const float *logits, int64_t vocab, int id) {
    double largest = *std::max_element(logits, logits + vocab), sum = 0;
    for (int64_t v = 0; v < vocab; v++) sum += std::exp(logits[v] - largest);
    return largest + std::log(sum) - logits[id];
}

// Whole text with carried state; the state is cleared where a text ends. The first token of a text is
// predicted from an end-of-text token where the tokenizer has one, else it is not counted.
void perplexity(const Options &o) {
    text::Tokenizer tokenizer = o.model.load_tokenizer();
    std::string content = read_file(o.file);
    auto model = o.model.load();
    int64_t vocab = std::min<int64_t>(tokenizer.size(), model->config().vocab);
    std::vector<int> ids = o.model.encode(tokenizer, content, vocab);
    int end = tokenizer.end_of_text() < vocab ? tokenizer.end_of_text() : -1;
    if (end >= 0) ids.insert(ids.begin(), end);
    model::State state(model->config(), 1);
    double nats = 0;
    size_t counted = 0, bytes = 0; // bytes of text: the marks between texts have none
    for (size_t at = 0; at + 1 < ids.size();) {
        size_t count = 1,
               most = std::min<size_t>(ids.size() - 1 - at, static_cast<size_t>(model->logit_rows()));
        if (ids[at] == end) state.clear();
        while (count < most && ids[at + count] != end) count++; // a new text starts a new pass
        int length = static_cast<int>(count);
        const float *logits = model->forward(state, {0, 1, ids.data() + at, &length}, model::Logits::all);
        for (size_t i = 0; i < count; i++, counted++) {
            int id = ids[at + i + 1];
            nats += surprise(logits + static_cast<int64_t>(i) * model->logits_stride(), vocab, id);
            if (id != end) bytes += tokenizer.bytes_of(id).size();
        }
        at += count;
    }
    if (!bytes) throw Error(o.file, "has too little text");
    double per_token = nats / static_cast<double>(counted);
    std::printf("tokens %zu\nnats per token %.5f\nperplexity %.4f\nbits per byte %.5f\n", counted, per_token,
                std::exp(per_token), nats / std::log(2.0) / static_cast<double>(bytes));
}

} // namespace

void add_perplexity(CLI::App &app, Run &run) {
    auto o = std::make_shared<Options>();
    CLI::App *verb = app.add_subcommand("perplexity", "how well a model predicts a text");
    o->model.add(*verb);
    o->model.add_tokenizer(*verb);
    verb->add_option("-f,--file", o->file, "UTF-8 text")->required();
    verb->callback([o, &run] { run = [o] { perplexity(*o); }; });
}

} // namespace ks::cli
