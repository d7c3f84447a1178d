// SPDX-License-Identifier: Apache-2.0
#include "autotune/artefacts.h"
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>

namespace ks::tune {

namespace fs = std::filesystem;

namespace {

constexpr size_t digits = 16; // of an identity

// Whatever builder it is of, whole or half written.
bool is_artefact(const std::string &name) {
    return name.size() > digits && name[digits] == '.' &&
           std::all_of(name.begin(), name.begin() + digits, [](unsigned char c) { return std::isxdigit(c); });
}

} // namespace

Artefacts::Artefacts(const std::string &folder, Builder &builder) : folder_(folder), builder_(builder) {
    const std::string ours = "." + builder.fingerprint() + ".";
    std::error_code ignored; // a folder that is missing has nothing to remove
    std::vector<fs::path> old;
    for (const auto &entry : fs::directory_iterator(folder, ignored))
        if (std::string name = entry.path().filename();
            is_artefact(name) && name.compare(digits, ours.size(), ours) != 0)
            old.push_back(entry.path());
    for (const fs::path &path : old) fs::remove(path, ignored);
}

std::string Artefacts::path(const std::string &id) const {
    return (fs::path(folder_) / (id + "." + builder_.fingerprint() + ".kernel.so")).string();
}

bool Artefacts::there(const std::string &id) const { return fs::exists(path(id)); }

// Built under another name first: a file that has its final name is whole.
Outcome Artefacts::make(const Candidate &c, const std::string &id, double seconds) const {
    std::string part = path(id) + ".part";
    std::remove(part.c_str());
    Outcome o = builder_.build(c, part, seconds);
    if (o.state == State::ok && std::rename(part.c_str(), path(id).c_str()) != 0)
        o = {State::failed, "the builder wrote no artefact", o.seconds};
    if (o.state != State::ok) std::remove(part.c_str());
    return o;
}

} // namespace ks::tune
