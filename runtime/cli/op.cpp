// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/op.h"
#include "runtime/base/error.h"
#include "runtime/cli/common.h"
#include "runtime/model/ops.h"

namespace ks::cli {

Inputs::Inputs(const std::string &path) : path_(path) {
    if (path.size() > 4 && path.compare(path.size() - 4, 4, ".npy") == 0) {
        arrays_["logits"] = io::read_npy(path);
        return;
    }
    io::NpzReader file(path);
    for (const auto &name : file.names()) arrays_[name] = file.read(name);
}

const io::Array &Inputs::at(const std::string &name) const {
    auto found = arrays_.find(name);
    if (found == arrays_.end()) throw Error(path_, "has no array " + name);
    return found->second;
}

const std::vector<int64_t> &Inputs::shape(const std::string &name, size_t rank, const char *axes) const {
    const auto &shape = at(name).shape;
    if (shape.size() != rank || at(name).data.empty())
        throw Error(path_, name + " has the shape " + io::shape_text(shape) + ", expected " + axes);
    return shape;
}

std::vector<float> Inputs::floats(const std::string &name, const std::vector<int64_t> &wanted) const {
    const io::Array &a = at(name);
    if (a.shape != wanted)
        throw Error(path_, name + " has the shape " + io::shape_text(a.shape) + ", expected " +
                               io::shape_text(wanted));
    if (a.dtype != DType::f32 && a.dtype != DType::f16 && a.dtype != DType::f64)
        throw Error(path_, name + " is of the type " + name_of(a.dtype) + ", expected f32, f16 or f64");
    return io::to_f32(a.tensor(name));
}

std::vector<int64_t> Inputs::integers(const std::string &name) const {
    const io::Array &a = at(name);
    if (a.shape.size() != 1 || (a.dtype != DType::i64 && a.dtype != DType::i32))
        throw Error(path_, name + " must be a list of integers (int32 or int64)");
    std::vector<int64_t> values(static_cast<size_t>(a.shape[0]));
    for (size_t i = 0; i < values.size(); i++) {
        if (a.dtype == DType::i64)
            std::memcpy(&values[i], a.data.data() + 8 * i, 8);
        else {
            int32_t v;
            std::memcpy(&v, a.data.data() + 4 * i, 4);
            values[i] = v;
        }
    }
    return values;
}

std::vector<int64_t> sequences_of(const Inputs &in, int64_t batch, int64_t length) {
    std::vector<int64_t> starts;
    if (!in.has("seq_start")) {
        for (int64_t b = 0; b <= batch; b++) starts.push_back(b * length);
        return starts;
    }
    if (batch != 1) throw Error(in.path(), "seq_start needs B = 1");
    starts = in.integers("seq_start");
    bool good = starts.size() >= 2 && starts.front() == 0 && starts.back() == length;
    for (size_t s = 1; good && s < starts.size(); s++) good = starts[s] >= starts[s - 1];
    if (!good) throw Error(in.path(), "seq_start must rise from 0 to " + std::to_string(length));
    return starts;
}

std::vector<float> swap_axes(const std::vector<float> &v, int64_t outer, int64_t rows, int64_t cols) {
    std::vector<float> out(v.size());
    for (int64_t o = 0; o < outer; o++)
        for (int64_t r = 0; r < rows; r++)
            for (int64_t c = 0; c < cols; c++)
                out[static_cast<size_t>((o * cols + c) * rows + r)] =
                    v[static_cast<size_t>((o * rows + r) * cols + c)];
    return out;
}

namespace {

struct Options {
    std::string op, in, out, isa;
    int threads = 0;
};

void run_op(const Options &o) {
    const std::map<std::string, OpRunner> runners = {{"selective_scan", run_selective_scan},
                                                     {"causal_conv1d", run_causal_conv1d},
                                                     {"sinkhorn", run_sinkhorn},
                                                     {"linear", run_linear},
                                                     {"rms_norm", run_rms_norm},
                                                     {"layer_norm", run_layer_norm},
                                                     {"router", run_router},
                                                     {"expert_mlp", run_expert_mlp}};
    auto runner = runners.find(o.op);
    if (runner == runners.end()) {
        std::string known;
        for (const auto &[name, run] : runners) known += (known.empty() ? "" : ", ") + name;
        throw Error("op " + o.op, "is not one of " + known);
    }
    Inputs in(o.in);
    auto create = model::arguments<ks_create_args>();
    create.threads = o.threads;
    create.isa = o.isa.empty() ? nullptr : o.isa.c_str();
    ks_library *library = nullptr;
    model::check(ks_create(&create, &library));
    std::unique_ptr<ks_library, void (*)(ks_library *)> owner(library, ks_destroy);
    std::vector<Result> results = runner->second(*library, in);
    std::vector<io::Tensor> tensors;
    for (const Result &r : results)
        tensors.push_back(r.integers.empty() ? io::tensor_of(r.name, r.values, r.shape)
                                             : io::tensor_of(r.name, r.integers, r.shape));
    io::write_npz(o.out, tensors);
}

} // namespace

void add_op(CLI::App &app, Run &run) {
    auto o = std::make_shared<Options>();
    CLI::App *verb = app.add_subcommand("op", "run one kernel of the pack on arrays from a file");
    verb->add_option(
            "op", o->op,
            "selective_scan, causal_conv1d, sinkhorn, linear, rms_norm, layer_norm, router or expert_mlp")
        ->required();
    verb->add_option("--in", o->in,
                     "npz with the operands, or for sinkhorn and router an npy with the logits")
        ->required();
    verb->add_option("--out", o->out, "npz to write")->required();
    verb->add_option("-t,--threads", o->threads, "threads (default: one per core)")
        ->check(CLI::Range(1, 1024));
    verb->add_option("--isa", o->isa, "instruction set (default: the best of this CPU)")
        ->check(CLI::IsMember({"avx2", "avx512"}));
    verb->callback([o, &run] { run = [o] { run_op(*o); }; });
}

} // namespace ks::cli
