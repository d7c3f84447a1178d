// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/common.h"
#include "runtime/io/atomic_file.h"
#include <nlohmann/json.hpp>

namespace ks::cli {

void add_tokenize(CLI::App &app, Run &run) {
    struct Options {
        std::string tokenizer, text_file, out;
    };
    auto o = std::make_shared<Options>();
    CLI::App *verb = app.add_subcommand("tokenize", "ids of a text, as a JSON list");
    verb->add_option("--tokenizer", o->tokenizer, "tokenizer.json")->required();
    verb->add_option("--text-file", o->text_file, "UTF-8 text")->required();
    verb->add_option("--out", o->out, "JSON to write")->required();
    verb->callback([o, &run] {
        run = [o] {
            text::Tokenizer tokenizer = text::Tokenizer::load(o->tokenizer);
            std::string text = nlohmann::json(tokenizer.encode(read_file(o->text_file))).dump() + "\n";
            io::AtomicFile file(o->out);
            file.write(text.data(), text.size());
            file.commit();
        };
    });
}

} // namespace ks::cli
