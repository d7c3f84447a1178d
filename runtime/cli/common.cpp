// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/common.h"
#include "runtime/base/cpu.h"
#include "runtime/base/error.h"
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace ks::cli {

void ModelFlags::add(CLI::App &verb) {
    verb.add_option("-m,--model", folder, "model folder")->required();
    verb.add_option("-t,--threads", threads, "threads (default: one per core)")->check(CLI::Range(1, 1024));
    verb.add_option("--dtype", dtype, "storage of weights (default: the checkpoint's)")
        ->check(CLI::IsMember({"f32", "bf16", "f16"}));
    verb.add_option("--act", act, "activation of experts (default: as the configuration says)")
        ->check(CLI::IsMember({"gelu_erf", "silu"}));
    verb.add_option("--isa", isa, "instruction set (default: the best of this CPU)")
        ->check(CLI::IsMember(all_isas()));
}

void ModelFlags::add_tokenizer(CLI::App &verb) {
    verb.add_option("--tokenizer", tokenizer, "tokenizer.json (default: the model folder's)");
}

model::LoadOptions ModelFlags::options(int64_t chunk) const {
    model::LoadOptions o;
    o.dtype = dtype.empty() ? io::Checkpoint(folder).storage() : storage_named(dtype);
    o.threads = threads;
    o.isa = isa;
    if (!act.empty()) o.activation = act == "silu" ? model::Activation::silu : model::Activation::gelu_erf;
    o.chunk = chunk;
    return o;
}

std::unique_ptr<model::Model> ModelFlags::load(int64_t chunk) const {
    auto made = std::make_unique<model::Model>(folder, options(chunk));
    if (!made->tuned())
        std::fprintf(stderr, "ks: running on base kernels; `ksc tune --model %s` makes it faster\n",
                     folder.c_str());
    return made;
}

text::Tokenizer ModelFlags::load_tokenizer() const { return text::Tokenizer::load(tokenizer_path()); }

std::string ModelFlags::tokenizer_path() const {
    return tokenizer.empty() ? folder + "/tokenizer.json" : tokenizer;
}

std::vector<int> ModelFlags::encode(const text::Tokenizer &with, const std::string &text,
                                    int64_t vocab) const {
    std::vector<int> ids = with.encode(text);
    for (int id : ids)
        if (id >= vocab)
            throw Error(tokenizer_path(),
                        "gives token " + std::to_string(id) + ", the model has " + std::to_string(vocab));
    return ids;
}

int64_t count_parameters(const io::Checkpoint &checkpoint, const model::Config &config, bool active) {
    int64_t count = 0;
    for (const auto &name : checkpoint.names()) {
        if (config.tie_embeddings && name == "lm_head.weight") continue; // the embedding once more
        size_t at = name.find(".local_experts.");
        if (active && at != std::string::npos && name.compare(at + 15, 2, "0.") != 0) continue;
        count += checkpoint.at(name).elements();
    }
    return count;
}

DType storage_named(const std::string &name) {
    for (DType t : {DType::f32, DType::bf16, DType::f16})
        if (name == name_of(t)) return t;
    throw Error("storage " + name, "is not one of f32, bf16, f16");
}

std::string read_file(const std::string &path) {
    std::unique_ptr<std::FILE, int (*)(std::FILE *)> file(std::fopen(path.c_str(), "rb"), std::fclose);
    if (!file) throw Error(path, std::strerror(errno));
    std::string text;
    char piece[1 << 16];
    while (size_t count = std::fread(piece, 1, sizeof piece, file.get())) text.append(piece, count);
    if (std::ferror(file.get())) throw Error(path, std::strerror(errno)); // a folder, for one
    return text;
}

} // namespace ks::cli
