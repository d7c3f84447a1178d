// SPDX-License-Identifier: Apache-2.0
// Damaged copies of tokenizer.json: refused in one line, or a tokenizer that encodes and decodes.
#include "runtime/text/tokenizer.h"
#include "tests/runtime/io/mutations.h"
#include "tests/runtime/text/test_files.h"

namespace ks::text {

// A few entries of the real file, so that damage hits every part of it about as often.
static std::string small(const std::string &name) {
    nlohmann::json file = json_of(data_file(name));
    auto &merges = file["model"]["merges"];
    merges.erase(merges.begin() + 8, merges.end());
    return file.dump();
}

TEST(Mutation, TokenizerJson) {
    test::MemoryFile file;
    for (const char *name : {"gpt2_style.tokenizer.json", "neox_style.tokenizer.json"})
        test::survives_damage(small(name), 1000, file.path() + ": ", [&](const std::string &bytes) {
            file.write(bytes);
            Tokenizer t = Tokenizer::load(file.path());
            std::vector<int> ids = t.encode("In the beginning, 1234 \xc3\xa9<|endoftext|>");
            t.decode(ids);
        });
}

} // namespace ks::text
