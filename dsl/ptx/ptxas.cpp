// SPDX-License-Identifier: Apache-2.0
#include "dsl/ptx/ptxas.h"
#include "dsl/ptx/program.h"
#include "runtime/base/error.h"
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>

namespace ks::ptx {

namespace fs = std::filesystem;

namespace {

// Where the wheel nvidia-cuda-nvcc (or its older name with a version) puts it in a Python environment.
std::vector<std::string> in_wheels() {
    std::vector<std::string> found;
    const char *environment = std::getenv("VIRTUAL_ENV");
    std::error_code ignored;
    for (const auto &python :
         fs::directory_iterator(fs::path(environment ? environment : "") / "lib", ignored))
        for (const char *part : {"cuda_nvcc", "cu13", "cu12"})
            found.push_back((python.path() / "site-packages/nvidia" / part / "bin/ptxas").string());
    return found;
}

std::string line_of(const std::string &text, int number) {
    std::istringstream lines(text);
    std::string line;
    for (int i = 0; i < number && std::getline(lines, line);) i++;
    size_t begin = line.find_first_not_of(" \t");
    return begin == std::string::npos ? "" : line.substr(begin);
}

// "line 8: Unknown symbol '%q': add.f32 %f2,%f1,%q", or what else ptxas said first.
std::string complaint(const std::string &output, const std::string &ptx) {
    std::smatch found;
    if (std::regex_search(output, found, std::regex("line (\\d+); error\\s*: ([^\\n]*)")))
        return "line " + found[1].str() + ": " + found[2].str() + ": " + line_of(ptx, std::stoi(found[1]));
    if (std::regex_search(output, found, std::regex("(?:fatal|error)\\s*: ([^\\n]*)"))) return found[1];
    return output.substr(0, output.find('\n'));
}

std::vector<uint8_t> bytes_of(const std::string &path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

} // namespace

Ptxas::Ptxas(const std::string &program) : program_(program) {
    Finished said = run_program({program, "--version"});
    std::smatch found;
    if (said.status || !std::regex_search(said.output, found, std::regex("V(\\d+(?:\\.\\d+)+)")))
        throw Error(program, "is no ptxas that runs here: " + said.output.substr(0, said.output.find('\n')));
    version_ = found[1];
    help_ = run_program({program, "--help"}).output;
}

std::optional<Ptxas> Ptxas::find() {
    if (const char *named = std::getenv("KS_PTXAS")) return Ptxas(named);
    std::vector<std::string> places = in_wheels();
    places.insert(places.begin(), {"ptxas", "/usr/local/cuda/bin/ptxas"});
    for (const auto &place : places)
        if (run_program({place, "--version"}).status == 0) return Ptxas(place);
    return {};
}

bool Ptxas::knows(const std::string &arch) const { return help_.find("'" + arch + "'") != std::string::npos; }

Cubin Ptxas::assemble(const std::string &ptx, const Assembly &options) const {
    if (!knows(options.arch)) throw Error("ptxas " + version_, "does not know " + options.arch);
    ScratchFolder folder;
    std::string text = folder.path("kernel.ptx"), cubin = folder.path("kernel.cubin");
    std::ofstream out(text, std::ios::binary);
    out << ptx;
    out.close();
    if (!out) throw Error(text, "cannot be written");
    std::vector<std::string> argv = {program_, "-v", "-O3", "-arch=" + options.arch, text, "-o", cubin};
    if (options.max_registers) argv.push_back("--maxrregcount=" + std::to_string(options.max_registers));
    Finished done = run_program(argv);
    if (done.status) throw Error("ptxas " + version_ + " for " + options.arch, complaint(done.output, ptx));
    Cubin made{bytes_of(cubin), parse_resources(done.output)};
    if (made.code.empty()) throw Error("ptxas " + version_ + " for " + options.arch, "wrote no code");
    return made;
}

} // namespace ks::ptx
