// SPDX-License-Identifier: Apache-2.0
// ks logits: float32 [B, L, vocabulary]; positions beyond a row's length are NaN.
#include "runtime/base/error.h"
#include "runtime/cli/common.h"
#include "runtime/io/json_file.h"
#include "runtime/io/npy.h"
#include <algorithm>
#include <cmath>
#include <unistd.h>

namespace ks::cli {

namespace {

struct Options {
    ModelFlags model;
    std::string tokens, out;
    bool step = false;
    int64_t chunk = 512;
};

using Lists = std::vector<std::vector<int>>;

Lists read_tokens(const std::string &path, int64_t vocab) {
    Lists lists = io::read_token_lists(path);
    if (lists.empty()) throw Error(path, "has no token lists");
    for (size_t b = 0; b < lists.size(); b++) {
        if (lists[b].empty()) throw Error(path, "list " + std::to_string(b) + " is empty");
        for (int id : lists[b])
            if (id >= vocab)
                throw Error(path, "token " + std::to_string(id) + " is not in the vocabulary of " +
                                      std::to_string(vocab));
    }
    return lists;
}

// An allocation beyond the memory would succeed and the process be killed later.
void check_memory(const std::string &path, double floats) {
    double memory = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
    double needed = floats * sizeof(float);
    if (needed > memory)
        throw Error(path, "asks for " + std::to_string(static_cast<int64_t>(needed * 1e-9)) +
                              " GB of logits, this machine has " +
                              std::to_string(static_cast<int64_t>(memory * 1e-9)) + " GB of memory");
}

// One pass over the same number of new tokens (`width`, fewer at a row's end) of every row that has some
// left. Rows are sorted by length, longest first, so that these rows are neighbours.
void pass(model::Model &model, model::State &state, const Lists &lists, const std::vector<size_t> &order,
          size_t from, size_t width, std::vector<float> &out, size_t longest) {
    std::vector<int> tokens, lengths;
    for (size_t row : order) {
        const auto &list = lists[row];
        if (list.size() <= from) break;
        size_t count = std::min(width, list.size() - from);
        tokens.insert(tokens.end(), list.begin() + static_cast<long>(from),
                      list.begin() + static_cast<long>(from + count));
        lengths.push_back(static_cast<int>(count));
    }
    model::Batch batch{0, static_cast<int>(lengths.size()), tokens.data(), lengths.data()};
    const float *logits = model.forward(state, batch, model::Logits::all);
    auto vocab = static_cast<size_t>(model.config().vocab);
    for (size_t s = 0; s < lengths.size(); s++)
        for (int t = 0; t < lengths[s]; t++, logits += model.logits_stride())
            std::copy_n(logits, vocab,
                        out.data() + (order[s] * longest + from + static_cast<size_t>(t)) * vocab);
}

void logits(const Options &o) {
    auto model = o.model.load(o.chunk);
    Lists lists = read_tokens(o.tokens, model->config().vocab);
    std::vector<size_t> order(lists.size());
    for (size_t i = 0; i < order.size(); i++) order[i] = i;
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return lists[a].size() > lists[b].size(); });
    size_t longest = lists[order[0]].size();
    check_memory(o.tokens, static_cast<double>(lists.size()) * static_cast<double>(longest) *
                               static_cast<double>(model->config().vocab));
    std::vector<float> out(lists.size() * longest * static_cast<size_t>(model->config().vocab), NAN);

    // As many rows at a time as one pass can give logits for.
    auto rows = static_cast<size_t>(model->logit_rows());
    for (size_t first = 0; first < order.size(); first += rows) {
        std::vector<size_t> group(order.begin() + static_cast<long>(first),
                                  order.begin() + static_cast<long>(std::min(order.size(), first + rows)));
        model::State state(model->config(), static_cast<int>(group.size()));
        size_t width = o.step ? 1 : std::max<size_t>(1, rows / group.size());
        for (size_t from = 0; from < lists[group[0]].size(); from += width)
            pass(*model, state, lists, group, from, width, out, longest);
    }
    io::write_npy(o.out, io::tensor_of("logits", out,
                                       {static_cast<int64_t>(lists.size()), static_cast<int64_t>(longest),
                                        model->config().vocab}));
}

} // namespace

void add_logits(CLI::App &app, Run &run) {
    auto o = std::make_shared<Options>();
    CLI::App *verb = app.add_subcommand("logits", "logits of token lists, as an array");
    o->model.add(*verb);
    verb->add_option("--tokens", o->tokens, "JSON: a list of lists of ids")->required();
    verb->add_option("--out", o->out, "npy to write: float32 [B, L, vocabulary], NaN beyond a row's end")
        ->required();
    verb->add_option("--chunk", o->chunk, "tokens of one pass at most")->check(CLI::Range(1, 1 << 16));
    verb->add_flag("--step", o->step, "token by token, with carried state");
    verb->callback([o, &run] { run = [o] { logits(*o); }; });
}

} // namespace ks::cli
