// SPDX-License-Identifier: Apache-2.0
#include "autotune/pack/build.h"
#include "autotune/pack/header.h"
#include "runtime/base/error.h"
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

namespace ks::pack {

namespace fs = std::filesystem;

namespace {

std::string contents(const fs::path &path) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream s;
    s << in.rdbuf();
    return s.str();
}

// Leaves the file alone when nothing changed, so that nothing that depends on it is rebuilt.
void write_if_changed(const fs::path &path, const std::string &text) {
    if (fs::exists(path) && contents(path) == text) return;
    fs::path part = path.string() + ".part";
    std::ofstream out(part, std::ios::binary);
    out << text;
    out.close();
    if (!out) throw Error(part.string(), "cannot be written");
    fs::rename(part, path);
}

// The compiler is this program: any change to it makes every kept object stale.
const std::string &compiler_identity() {
    static const std::string id = std::to_string(hash_of(contents("/proc/self/exe")));
    return id;
}

void archive(const fs::path &folder, const std::vector<fs::path> &objects, bool changed) {
    fs::path list = folder / "objects.txt", library = folder / "libks_kernels.a",
             part = folder / "libks_kernels.a.part";
    std::string text;
    for (const auto &o : objects) text += "\"" + o.string() + "\"\n";
    if (!changed && fs::exists(library) && fs::exists(list) && contents(list) == text) return;
    write_if_changed(list, text);
    fs::remove(part);
    std::string command =
        "ar qc '" + part.string() + "' @'" + list.string() + "' && ranlib '" + part.string() + "'";
    if (std::system(command.c_str()) != 0) throw Error(library.string(), "ar failed");
    fs::rename(part, library);
}

using Stale = std::vector<std::pair<const PackKernel *, fs::path>>;

// What a build process tells its parent; small enough that a pipe keeps it whole.
struct Message {
    int process, kernel;
    bool done;
};

// Compiles every `step`-th stale kernel, from `first` on.
int build_share(const Stale &stale, int first, int step, int pipe) {
    auto tell = [&](int kernel, bool done) {
        Message m{first, kernel, done};
        return write(pipe, &m, sizeof m) == sizeof m;
    };
    for (int i = first; i < static_cast<int>(stale.size()); i += step) {
        const auto &[kernel, object] = stale[static_cast<size_t>(i)];
        try {
            if (!tell(i, false)) return 1;
            build_object(*kernel, object.string(), kernel->symbol());
            if (!tell(i, true)) return 1;
        } catch (const std::exception &e) {
            std::cerr << "ksc: " << kernel->identity() << ": " << e.what() << "\n";
            return 1;
        }
    }
    return 0;
}

// LLVM ends the process on an internal error, so every share is built by a process of its own.
void build_all(const Stale &stale, int jobs, const std::function<void(size_t, size_t)> &progress) {
    int ends[2];
    if (pipe(ends) != 0) throw Error("pack", "cannot make a pipe");
    std::vector<pid_t> children;
    for (int j = 0; j < jobs; j++) {
        pid_t child = fork();
        if (child < 0) throw Error("pack", "cannot start a build process");
        if (child == 0) {
            close(ends[0]);
            _exit(build_share(stale, j, jobs, ends[1]));
        }
        children.push_back(child);
    }
    close(ends[1]);
    std::vector<int> busy(static_cast<size_t>(jobs), -1); // kernel that each process is compiling
    size_t done = 0;
    for (Message m{}; read(ends[0], &m, sizeof m) == sizeof m;) {
        busy[static_cast<size_t>(m.process)] = m.done ? -1 : m.kernel;
        if (m.done) progress(++done, stale.size());
    }
    close(ends[0]);
    std::string broken;
    for (size_t j = 0; j < children.size(); j++) {
        int status = 0;
        waitpid(children[j], &status, 0);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
        broken = busy[j] < 0 ? "a build process ended early"
                             : stale[static_cast<size_t>(busy[j])].first->identity();
        if (WIFSIGNALED(status))
            broken += " ended the compiler with signal " + std::to_string(WTERMSIG(status));
    }
    if (!broken.empty()) throw Error("pack", broken + "; nothing was written");
}

} // namespace

std::string refusal(const std::vector<ptx::CudaReport> &reports) {
    bool fits = std::any_of(reports.begin(), reports.end(), [](auto &r) { return r.unfit.empty(); });
    return fits || reports.empty() ? "" : reports.back().unfit;
}

void build_object(const PackKernel &k, const std::string &object, const std::string &symbol) {
    const Op &op = op_named(k.op);
    Halide::Target target = kernel_target(k.isa);
    std::string part = object + ".part.o";
    Kernel kernel = op.build(k.spec, k.knobs, target);
    if (k.isa == "cuda") {
        const ptx::Ptxas &ptxas = assembler();
        ptx::CudaBuild build = ptx::build_for(kernel.device, ptxas);
        build.most_spilled = most_spilled;
        auto reports = ptx::compile_cuda(kernel, symbol, ptxas, build, part);
        if (std::string why = refusal(reports); !why.empty()) {
            fs::remove(part);
            throw Error(why);
        }
    } else {
        compile(kernel, symbol, target, {{Halide::OutputFileType::object, part}});
    }
    fs::rename(part, object);
}

void build_pack(const std::vector<PackKernel> &kernels, const std::string &folder_name, int jobs,
                const std::function<void(size_t, size_t)> &progress) {
    fs::path folder = fs::absolute(folder_name), kept = folder / "objects";
    fs::create_directories(folder / "include/kingsnake");
    fs::create_directories(kept);
    if (!fs::exists(kept / "compiler") || contents(kept / "compiler") != compiler_identity()) {
        fs::remove_all(kept);
        fs::create_directories(kept);
        write_if_changed(kept / "compiler", compiler_identity());
    }
    std::vector<fs::path> objects;
    Stale stale;
    std::set<std::string> seen;
    for (const auto &k : kernels) {
        if (!seen.insert(k.symbol()).second) continue;
        objects.push_back(kept / (k.symbol() + ".o"));
        if (!fs::exists(objects.back())) stale.emplace_back(&k, objects.back());
    }
    if (!stale.empty()) build_all(stale, std::min(jobs, static_cast<int>(stale.size())), progress);
    archive(folder, objects, !stale.empty());
    write_if_changed(folder / "include/kingsnake/ops.h", ops_header());
    write_if_changed(folder / "table.cpp", table_source(kernels));
}

} // namespace ks::pack
