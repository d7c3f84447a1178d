// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/saved_text.h"
#include "runtime/base/error.h"
#include "runtime/io/npz.h"
#include <algorithm>
#include <cstring>

namespace ks::cli {

namespace {

// The values of a list of T, which may have any length when `count` is 0.
template <typename T>
std::vector<T> read_list(const io::NpzReader &file, const std::string &path, const std::string &name,
                         DType dtype, size_t count) {
    io::Array a = file.read(name);
    size_t length = a.data.size() / sizeof(T);
    if (a.dtype != dtype || a.shape.size() != 1 || !length || (count && length != count))
        throw Error(path, name + " is " + name_of(a.dtype) + io::shape_text(a.shape) +
                              ", expected a list of " + (count ? std::to_string(count) + " " : "") +
                              name_of(dtype));
    std::vector<T> values(length);
    std::memcpy(values.data(), a.data.data(), a.data.size());
    return values;
}

} // namespace

void save_text(const std::string &path, const model::Model &model, const model::State &state,
               const SavedText &text) {
    std::vector<int64_t> words(4), checkpoint = {static_cast<int64_t>(model.checkpoint().fingerprint())};
    std::memcpy(words.data(), text.generator.state().data(), sizeof text.generator.state());
    state.save(path, {io::tensor_of("ids", text.ids, {static_cast<int64_t>(text.ids.size())}),
                      io::tensor_of("generator", words, {4}), io::tensor_of("checkpoint", checkpoint, {1})});
}

SavedText load_text(const std::string &path, const model::Model &model, model::State &state) {
    io::NpzReader file(path);
    auto checkpoint = read_list<uint64_t>(file, path, "checkpoint", DType::i64, 1);
    if (checkpoint[0] != model.checkpoint().fingerprint())
        throw Error(path, "was saved from another model than " + model.checkpoint().folder());
    SavedText text;
    text.ids = read_list<int>(file, path, "ids", DType::i32, 0);
    for (int id : text.ids)
        if (id < 0 || id >= model.config().vocab)
            throw Error(path, "ids holds " + std::to_string(id) + ", which the model lacks");
    auto words = read_list<uint64_t>(file, path, "generator", DType::i64, 4);
    if (std::all_of(words.begin(), words.end(), [](uint64_t w) { return w == 0; }))
        throw Error(path, "generator is all zero, which it never is");
    text.generator = text::Rng({words[0], words[1], words[2], words[3]});
    state.load(path);
    return text;
}

} // namespace ks::cli
