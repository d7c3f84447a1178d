// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/common.h"
#include "runtime/base/error.h"
#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>

namespace ks::cli {

namespace {

DType checkpoint_dtype(const std::string &folder) {
    io::Checkpoint checkpoint(folder);
    const io::Tensor *largest = nullptr;
    for (const auto &name : checkpoint.names())
        if (const auto &t = checkpoint.at(name); !largest || t.bytes > largest->bytes) largest = &t;
    if (!largest) throw Error(folder, "has no tensors");
    if (largest->dtype != DType::bf16 && largest->dtype != DType::f16) return DType::f32;
    return largest->dtype;
}

} // namespace

void ModelFlags::add(CLI::App &verb) {
    verb.add_option("-m,--model", folder, "model folder")->required();
    verb.add_option("-t,--threads", threads, "threads (default: one per core)")->check(CLI::Range(1, 1024));
    verb.add_option("--dtype", dtype, "storage of weights (default: the checkpoint's)")
        ->check(CLI::IsMember({"f32", "bf16", "f16"}));
    verb.add_option("--act", act, "activation of experts (default: as the configuration says)")
        ->check(CLI::IsMember({"gelu_erf", "silu"}));
    verb.add_option("--isa", isa, "instruction set (default: the best of this CPU)")->check(CLI::IsMember({"avx2", "avx512"}));
}

void ModelFlags::add_tokenizer(CLI::App &verb) {
    verb.add_option("--tokenizer", tokenizer, "tokenizer.json (default: the model folder's)");
}

model::LoadOptions ModelFlags::options(int64_t chunk) const {
    model::LoadOptions o;
    o.dtype = dtype.empty() ? checkpoint_dtype(folder) : dtype == "f32" ? DType::f32 : dtype == "bf16" ? DType::bf16 : DType::f16;
    o.threads = threads;
    o.isa = isa;
    if (!act.empty()) o.activation = act == "silu" ? model::Activation::silu : model::Activation::gelu_erf;
    o.chunk = chunk;
    return o;
}

std::unique_ptr<model::Model> ModelFlags::load(int64_t chunk) const {
    auto made = std::make_unique<model::Model>(folder, options(chunk));
    if (!made->tuned())
        std::fprintf(stderr, "ks: running on base kernels; `ksc tune --model %s` makes kernels for its sizes\n", folder.c_str());
    return made;
}

text::Tokenizer ModelFlags::load_tokenizer() const {
    return text::Tokenizer::load(tokenizer.empty() ? folder + "/tokenizer.json" : tokenizer);
}

std::string read_file(const std::string &path) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    if (!in || text.fail()) throw Error(path, "cannot be read");
    return text.str();
}

double seconds_now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

} // namespace ks::cli
