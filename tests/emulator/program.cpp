// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/program.h"
#include "tests/emulator/body.h"
#include <algorithm>

namespace ks::emulator {

namespace {

// Comments become blanks, so that lines keep their numbers.
std::string without_comments(std::string s) {
    for (size_t at = 0; (at = s.find("//", at)) != std::string::npos;)
        while (at < s.size() && s[at] != '\n') s[at++] = ' ';
    return s;
}

size_t bytes_of_type(const std::string &declaration) {
    for (const auto &[type, bytes] : std::map<std::string, size_t>{{"64", 8}, {"32", 4}, {"16", 2}, {"8", 1}})
        for (const char *kind : {".u", ".b", ".s", ".f"})
            if (declaration.find(kind + type + " ") != std::string::npos) return bytes;
    throw Fault("no type that is known in " + declaration);
}

// The number behind a word of a declaration, or another.
size_t number_behind(const std::string &s, const std::string &word, size_t otherwise) {
    size_t at = s.find(word);
    return at == std::string::npos ? otherwise : std::stoull(s.substr(at + word.size()));
}

Names read_parameters(Kernel &kernel, const std::string &text) {
    Names offsets;
    for (const auto &declaration : split(text)) {
        size_t bytes = bytes_of_type(declaration), align = bytes, &end = kernel.parameter_bytes;
        size_t open = declaration.find('[');
        if (open != std::string::npos) { // .param .align 64 .b8 name[128]
            align = number_behind(declaration, ".align ", bytes);
            bytes *= std::stoull(declaration.substr(open + 1));
        }
        const std::string name = declaration.substr(0, open);
        end = (end + align - 1) / align * align;
        offsets[name.substr(name.find_last_of(" \t") + 1)] = static_cast<int>(end);
        kernel.parameters.push_back({end, bytes});
        end += bytes;
    }
    return offsets;
}

// Of what stands between parameters and body.
void read_directives(Kernel &kernel, const std::string &text) {
    kernel.most_threads = static_cast<unsigned>(number_behind(text, ".maxntid ", 1024));
    kernel.cluster = static_cast<unsigned>(number_behind(text, ".reqnctapercluster ", 1));
}

// .extern .shared .align 1024 .b8 name[];
void add_dynamic_shared(Names &symbols, const std::string &text, size_t end) {
    for (size_t at = 0; (at = text.find(".extern .shared ", at)) < end; at++) {
        size_t open = text.find('[', at), name = text.find_last_of(" \t", open) + 1;
        symbols[text.substr(name, open - name)] = symbols[dynamic_shared] = 0;
    }
}

} // namespace

std::map<std::string, Kernel> parse(const std::string &ptx) {
    std::map<std::string, Kernel> kernels;
    const std::string text = without_comments(ptx);
    for (size_t at = 0; (at = text.find(".entry ", at)) != std::string::npos; at++) {
        size_t open = text.find('(', at), close = text.find(')', open), body = text.find('{', close);
        if (body == std::string::npos) throw Fault("a kernel without a body");
        Kernel kernel;
        kernel.name = trimmed(text.substr(at + 7, open - at - 7));
        Names symbols = read_parameters(kernel, text.substr(open + 1, close - open - 1));
        read_directives(kernel, text.substr(close + 1, body - close - 1));
        add_dynamic_shared(symbols, text, at);
        auto end = text.begin() + static_cast<std::ptrdiff_t>(body);
        read_body(kernel, symbols, text, body + 1, 1 + static_cast<int>(std::count(text.begin(), end, '\n')));
        kernels[kernel.name] = std::move(kernel);
    }
    return kernels;
}

} // namespace ks::emulator
