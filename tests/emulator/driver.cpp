// SPDX-License-Identifier: Apache-2.0
// A libcuda with one device, whose kernels are executed here from their PTX (block.h). Calls do their work
// before they return, on any stream; only capture puts launches off.
#include "tests/emulator/block.h"
#include "tests/emulator/tensor_map.h"
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>

using namespace ks::emulator;

namespace {

constexpr int invalid_value = 1, out_of_memory = 2, no_binary = 209, invalid_ptx = 218, invalid_handle = 400,
              not_found = 500, illegal_address = 700, launch_failed = 719, invalid_cluster_size = 912;
constexpr int most_shared = 232448, free_shared = 48 * 1024; // as on 9.0, for which kernels are tuned

// Times 10. KS_EMULATED_CAPABILITY=90: for kernels that have PTX for that architecture alone. Else newer than
// the cubins of the pack, so that the launcher takes their PTX.
int capability() {
    const char *asked = std::getenv("KS_EMULATED_CAPABILITY");
    return asked ? std::atoi(asked) : 120;
}

struct Module {
    std::map<std::string, Kernel> kernels;
};
struct Function {
    const Kernel *kernel;
    size_t shared_allowed = free_shared;
};
using Graph = std::vector<Launch>;

std::mutex lock;                 // of all that follows
std::string fault = "no launch"; // the last
GlobalMemory memory;
std::map<const Kernel *, std::unique_ptr<Function>> functions;
std::map<void *, Graph> captures; // of streams
thread_local std::vector<void *> contexts;

void *const context = reinterpret_cast<void *>(1000);

int failed(int status, const std::string &what) {
    std::lock_guard<std::mutex> held(lock);
    fault = what;
    return status;
}

int execute(const Launch &launch) try {
    run(launch, memory);
    return 0;
} catch (const std::exception &e) {
    fault = e.what();
    return launch_failed;
}

} // namespace

extern "C" {

int cuInit(unsigned) { return 0; }
int cuDriverGetVersion(int *v) { return *v = 13000, 0; }
int cuDeviceGetCount(int *n) { return *n = 1, 0; }
int cuDeviceGet(int *d, int i) { return *d = i, i ? invalid_value : 0; }
// KS_EMULATED_NAME: that of a GPU whose tuned kernels are to be taken.
int cuDeviceGetName(char *text, int size, int) {
    const char *name = std::getenv("KS_EMULATED_NAME");
    return std::snprintf(text, static_cast<size_t>(size), "%s", name ? name : "Emulated GPU"), 0;
}
int cuDeviceGetAttribute(int *v, int which, int) {
    constexpr int multiprocessors = 16, cache_bytes = 1 << 22;
    *v = which == 75   ? capability() / 10
         : which == 76 ? capability() % 10
         : which == 97 ? most_shared
         : which == 38 ? cache_bytes
                       : multiprocessors;
    return 0;
}
int cuDevicePrimaryCtxRetain(void **c, int) { return *c = context, 0; }
int cuDevicePrimaryCtxRelease_v2(int) { return 0; }
int cuCtxPushCurrent_v2(void *c) { return contexts.push_back(c), 0; }
int cuCtxPopCurrent_v2(void **c) {
    if (contexts.empty()) return invalid_value;
    *c = contexts.back();
    contexts.pop_back();
    return 0;
}
int cuCtxGetCurrent(void **c) { return *c = contexts.empty() ? nullptr : contexts.back(), 0; }
int cuCtxSynchronize() { return 0; }

int cuModuleLoadData(void **m, const void *image) try {
    if (std::memcmp(image, "\177ELF", 4) == 0) return no_binary;
    *m = new Module{parse(static_cast<const char *>(image))};
    return 0;
} catch (const std::exception &e) {
    return failed(invalid_ptx, e.what());
}
int cuModuleUnload(void *m) {
    std::lock_guard<std::mutex> held(lock);
    for (const auto &[name, kernel] : static_cast<Module *>(m)->kernels) functions.erase(&kernel);
    return delete static_cast<Module *>(m), 0;
}
int cuModuleGetFunction(void **f, void *m, const char *name) {
    auto &kernels = static_cast<Module *>(m)->kernels;
    auto found = kernels.find(name);
    if (found == kernels.end()) return not_found;
    std::lock_guard<std::mutex> held(lock);
    auto &slot = functions[&found->second];
    if (!slot) slot.reset(new Function{&found->second});
    return *f = slot.get(), 0;
}
int cuFuncSetAttribute(void *f, int which, int value) {
    constexpr int dynamic_shared_bytes = 8;
    if (which != dynamic_shared_bytes) return 0;
    if (value < 0 || value > most_shared) return invalid_value;
    std::lock_guard<std::mutex> held(lock);
    return static_cast<Function *>(f)->shared_allowed = static_cast<size_t>(value), 0;
}

int cuLaunchKernel(void *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                   unsigned shared, void *stream, void **parameters, void **) {
    const auto *function = static_cast<const Function *>(f);
    const Kernel &kernel = *function->kernel;
    Launch launch{&kernel, {gx, gy, gz}, {bx, by, bz}, shared, {}};
    if (!gx || !gy || !gz || !bx || !by || !bz || bx * by * bz > kernel.most_threads) return invalid_value;
    if (gx % kernel.cluster) return invalid_cluster_size;
    launch.parameters.resize(kernel.parameter_bytes);
    for (size_t i = 0; i < kernel.parameters.size(); i++)
        std::memcpy(&launch.parameters[kernel.parameters[i].offset], parameters[i],
                    kernel.parameters[i].bytes);
    std::lock_guard<std::mutex> held(lock);
    if (shared > function->shared_allowed) return invalid_value;
    auto capture = captures.find(stream);
    if (capture == captures.end()) return execute(launch);
    capture->second.push_back(std::move(launch));
    return 0;
}

int cuTensorMapEncodeTiled(void *map, int type, unsigned rank, unsigned long long address,
                           const uint64_t *dims, const uint64_t *strides, const uint32_t *box,
                           const uint32_t *element_strides, int interleave, int swizzle, int promotion,
                           int fill) try {
    constexpr size_t map_alignment = 64;
    const TensorMapRequest request{type,       rank,    address,   dims, strides, box, element_strides,
                                   interleave, swizzle, promotion, fill};
    if (reinterpret_cast<uint64_t>(map) % map_alignment) return invalid_value;
    return encode(request, *static_cast<TensorMap *>(map)) ? 0 : invalid_value;
} catch (const std::exception &e) {
    return failed(launch_failed, e.what());
}

struct LaunchConfig { // CUlaunchConfig
    unsigned grid[3], block[3], shared;
    void *stream, *attributes;
    unsigned attribute_count;
};
int cuLaunchKernelEx(const LaunchConfig *c, void *f, void **parameters, void **extra) {
    return cuLaunchKernel(f, c->grid[0], c->grid[1], c->grid[2], c->block[0], c->block[1], c->block[2],
                          c->shared, c->stream, parameters, extra);
}

int cuGetErrorName(int status, const char **name) {
    static const std::map<int, const char *> names = {
        {invalid_value, "CUDA_ERROR_INVALID_VALUE"},     {out_of_memory, "CUDA_ERROR_OUT_OF_MEMORY"},
        {no_binary, "CUDA_ERROR_NO_BINARY_FOR_GPU"},     {invalid_ptx, "CUDA_ERROR_INVALID_PTX"},
        {invalid_handle, "CUDA_ERROR_INVALID_HANDLE"},   {not_found, "CUDA_ERROR_NOT_FOUND"},
        {illegal_address, "CUDA_ERROR_ILLEGAL_ADDRESS"}, {launch_failed, "CUDA_ERROR_LAUNCH_FAILED"}};
    auto found = names.find(status);
    return found == names.end() ? invalid_value : (*name = found->second, 0);
}
// Of a text that is not understood or a kernel that did wrong: what and where.
int cuGetErrorString(int status, const char **text) {
    thread_local std::string said;
    if (status != invalid_ptx && status != launch_failed) return invalid_value;
    std::lock_guard<std::mutex> held(lock);
    said = fault;
    return *text = said.c_str(), 0;
}

int cuMemAlloc_v2(unsigned long long *address, size_t bytes) {
    std::lock_guard<std::mutex> held(lock);
    return (*address = memory.allocate(bytes)) ? 0 : out_of_memory;
}
int cuMemFree_v2(unsigned long long address) {
    std::lock_guard<std::mutex> held(lock);
    return memory.release(address) ? 0 : invalid_value;
}
int cuMemcpyHtoD_v2(unsigned long long to, const void *from, size_t bytes) {
    std::lock_guard<std::mutex> held(lock);
    if (!memory.holds(to, bytes)) return illegal_address;
    return std::memcpy(reinterpret_cast<void *>(to), from, bytes), 0;
}
int cuMemcpyDtoH_v2(void *to, unsigned long long from, size_t bytes) {
    std::lock_guard<std::mutex> held(lock);
    if (!memory.holds(from, bytes)) return illegal_address;
    return std::memcpy(to, reinterpret_cast<void *>(from), bytes), 0;
}
int cuMemsetD8_v2(unsigned long long to, unsigned char value, size_t bytes) {
    std::lock_guard<std::mutex> held(lock);
    if (!memory.holds(to, bytes)) return illegal_address;
    return std::memset(reinterpret_cast<void *>(to), value, bytes), 0;
}

// Streams and events are addresses of a byte each.
int cuStreamCreate(void **s, unsigned) { return *s = new char, 0; }
int cuStreamDestroy_v2(void *s) { return delete static_cast<char *>(s), 0; }
int cuEventCreate(void **e, unsigned) { return *e = new char, 0; }
int cuEventDestroy_v2(void *e) { return delete static_cast<char *>(e), 0; }
int cuEventRecord(void *, void *) { return 0; }
int cuEventSynchronize(void *) { return 0; }
int cuEventElapsedTime(float *ms, void *, void *) { return *ms = 1, 0; }

int cuStreamBeginCapture_v2(void *stream, int) {
    std::lock_guard<std::mutex> held(lock);
    return captures.emplace(stream, Graph()).second ? 0 : invalid_value;
}
int cuStreamEndCapture(void *stream, void **g) {
    std::lock_guard<std::mutex> held(lock);
    auto found = captures.find(stream);
    if (found == captures.end()) return invalid_value;
    *g = new Graph(std::move(found->second));
    return captures.erase(found), 0;
}
int cuGraphInstantiateWithFlags(void **e, void *g, unsigned long long) {
    return *e = new Graph(*static_cast<Graph *>(g)), 0;
}
int cuGraphLaunch(void *e, void *) {
    std::lock_guard<std::mutex> held(lock);
    for (const Launch &launch : *static_cast<Graph *>(e))
        if (int status = execute(launch)) return status;
    return 0;
}
int cuGraphDestroy(void *g) { return delete static_cast<Graph *>(g), 0; }
int cuGraphExecDestroy(void *e) { return delete static_cast<Graph *>(e), 0; }

} // extern "C"
