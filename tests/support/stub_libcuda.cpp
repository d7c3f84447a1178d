// SPDX-License-Identifier: Apache-2.0
// A libcuda that runs nothing and writes down every call, one line each, for tests of the launcher without a
// GPU. It is steered through the functions at the end, which a test finds with dlsym.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#ifndef KS_STUB_VERSION
#define KS_STUB_VERSION 13000 // an older one lacks what that CUDA had not
#endif

namespace {

std::mutex lock;
std::vector<std::string> lines;
std::map<std::string, int> failing; // call -> status
std::atomic<bool> listening{true};
std::string parameter_bytes; // a digit for each parameter that a launch line shows
int devices = 2, most_shared = 232448;
int capability[2][2] = {{9, 0}, {8, 0}};
thread_local std::vector<void *> contexts;
thread_local std::string overlapping;

template <typename... T>
int called(const char *name, const T &...values) {
    if (!listening) return 0;
    std::lock_guard<std::mutex> held(lock);
    std::ostringstream line;
    line << name;
    ((line << " " << values), ...);
    lines.push_back(line.str());
    auto found = failing.find(name);
    return found == failing.end() ? 0 : found->second;
}

void *handle(size_t n) { return reinterpret_cast<void *>(n); }

// Contexts, modules and functions are 1000, 2000 and 3000 plus the device; the last two of the device whose
// context is current, and good only there.
size_t current() { return contexts.empty() ? 0 : reinterpret_cast<size_t>(contexts.back()); }
void *handle_here(size_t base) { return handle(base + current() - 1000); }
std::string shown(void *h) { return std::to_string(reinterpret_cast<size_t>(h)); }
constexpr int invalid_value = 1, invalid_context = 201, invalid_handle = 400;

} // namespace

extern "C" {

int cuInit(unsigned) { return called("cuInit"); }
int cuDriverGetVersion(int *v) { return *v = KS_STUB_VERSION, called("cuDriverGetVersion"); }
int cuDeviceGetCount(int *n) { return *n = devices, called("cuDeviceGetCount"); }
int cuDeviceGet(int *d, int i) { return *d = i, called("cuDeviceGet", i); }
int cuDeviceGetName(char *text, int size, int d) {
    return std::snprintf(text, static_cast<size_t>(size), "Stub GPU %d", d), called("cuDeviceGetName", d);
}
int cuDeviceGetAttribute(int *v, int which, int d) {
    *v = which == 75 ? capability[d][0] : which == 76 ? capability[d][1] : which == 97 ? most_shared : 132;
    return called("cuDeviceGetAttribute", which, d);
}
int cuDevicePrimaryCtxRetain(void **c, int d) {
    return *c = handle(1000 + static_cast<size_t>(d)), called("cuDevicePrimaryCtxRetain", d);
}
#if KS_STUB_VERSION >= 11000
int cuDevicePrimaryCtxRelease_v2(int d) { return called("cuDevicePrimaryCtxRelease", d); }
#endif
int cuCtxPushCurrent_v2(void *c) { return contexts.push_back(c), called("cuCtxPushCurrent", c); }
int cuCtxPopCurrent_v2(void **c) {
    *c = contexts.back();
    contexts.pop_back();
    return called("cuCtxPopCurrent");
}
int cuCtxGetCurrent(void **c) {
    return *c = contexts.empty() ? nullptr : contexts.back(), called("cuCtxGetCurrent");
}
int cuModuleLoadData(void **m, const void *image) {
    if (!current()) return invalid_context;
    *m = handle_here(2000);
    return called("cuModuleLoadData", std::memcmp(image, "\177ELF", 4) == 0 ? "cubin" : "ptx",
                  contexts.back());
}
int cuModuleUnload(void *) { return called("cuModuleUnload"); }
int cuModuleGetFunction(void **f, void *m, const char *name) {
    if (m != handle_here(2000)) return invalid_handle;
    return *f = handle_here(3000), called("cuModuleGetFunction", name);
}
int cuFuncSetAttribute(void *f, int which, int value) {
    if (f != handle_here(3000)) return invalid_handle;
    return called("cuFuncSetAttribute", which, value);
}
// Grid, block, shared bytes, stream, function, current context, whether it may overlap the launch before,
// parameters (stub_parameters).
int cuLaunchKernel(void *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                   unsigned shared, void *stream, void **parameters, void **) {
    if (f != handle_here(3000)) return invalid_handle;
    if (!listening) return 0;
    std::string values;
    for (size_t i = 0; i < parameter_bytes.size(); i++) {
        unsigned long long value = 0; // little-endian
        std::memcpy(&value, parameters[i], static_cast<size_t>(parameter_bytes[i] - '0'));
        values += " " + std::to_string(value);
    }
    return called("cuLaunchKernel", gx, gy, gz, bx, by, bz, shared, stream, shown(f), current(),
                  overlapping + "|" + values);
}
#if KS_STUB_VERSION >= 11080
// Of CUlaunchConfig what the launcher sets: the one attribute is programmatic stream serialization (6).
struct LaunchConfig {
    unsigned grid[3], block[3], shared;
    void *stream;
    const int *attributes;
    unsigned count;
};
int cuLaunchKernelEx(const LaunchConfig *c, void *f, void **parameters, void **extra) {
    if (c->count != 1 || c->attributes[0] != 6 || c->attributes[2] != 1) return invalid_value;
    overlapping = "overlapping ";
    int status = cuLaunchKernel(f, c->grid[0], c->grid[1], c->grid[2], c->block[0], c->block[1], c->block[2],
                                c->shared, c->stream, parameters, extra);
    overlapping = "";
    return status;
}
#endif
int cuGetErrorName(int status, const char **name) {
    *name = status == 2     ? "CUDA_ERROR_OUT_OF_MEMORY"
            : status == 209 ? "CUDA_ERROR_NO_BINARY_FOR_GPU"
                            : nullptr;
    return *name ? 0 : invalid_value;
}
int cuTensorMapEncodeTiled(void *map, int type, unsigned rank, unsigned long long address,
                           const unsigned long long *size, const unsigned long long *row_bytes,
                           const unsigned *box, const unsigned *, int, int swizzle, int, int) {
    std::memset(map, 0, 128);
    return called("cuTensorMapEncodeTiled", type, rank, address, size[0], size[1], row_bytes[0], box[0],
                  box[1], swizzle);
}
int cuGetErrorString(int status, const char **text) {
    *text = status == 2 ? "out of memory" : status == 209 ? "no kernel image is available" : nullptr;
    return *text ? 0 : invalid_value;
}
int cuMemAlloc_v2(unsigned long long *address, size_t bytes) {
    *address = reinterpret_cast<unsigned long long>(std::calloc(bytes, 1));
    return called("cuMemAlloc", bytes);
}
int cuMemFree_v2(unsigned long long address) {
    std::free(reinterpret_cast<void *>(address));
    return called("cuMemFree");
}
int cuMemcpyHtoD_v2(unsigned long long to, const void *from, size_t bytes) {
    return std::memcpy(reinterpret_cast<void *>(to), from, bytes), called("cuMemcpyHtoD", bytes);
}
int cuMemcpyDtoH_v2(void *to, unsigned long long from, size_t bytes) {
    return std::memcpy(to, reinterpret_cast<void *>(from), bytes), called("cuMemcpyDtoH", bytes);
}
int cuMemsetD8_v2(unsigned long long to, unsigned char value, size_t bytes) {
    return std::memset(reinterpret_cast<void *>(to), value, bytes), called("cuMemsetD8", bytes);
}
int cuCtxSynchronize() { return called("cuCtxSynchronize"); }
int cuStreamCreate(void **s, unsigned) { return *s = handle(4000), called("cuStreamCreate"); }
int cuStreamDestroy_v2(void *) { return called("cuStreamDestroy"); }
int cuEventCreate(void **e, unsigned) { return *e = handle(5000), called("cuEventCreate"); }
int cuEventDestroy_v2(void *) { return called("cuEventDestroy"); }
int cuEventRecord(void *, void *) { return called("cuEventRecord"); }
int cuEventSynchronize(void *) { return called("cuEventSynchronize"); }
int cuEventElapsedTime(float *ms, void *, void *) { return *ms = 1, called("cuEventElapsedTime"); }

int cuStreamBeginCapture_v2(void *, int) { return called("cuStreamBeginCapture"); }
int cuStreamEndCapture(void *, void **g) { return *g = handle(6000), called("cuStreamEndCapture"); }
#if KS_STUB_VERSION >= 11040
int cuGraphInstantiateWithFlags(void **e, void *, unsigned long long) {
    return *e = handle(7000), called("cuGraphInstantiate");
}
#endif
int cuGraphLaunch(void *, void *) { return called("cuGraphLaunch"); }
int cuGraphDestroy(void *) { return called("cuGraphDestroy"); }
int cuGraphExecDestroy(void *) { return called("cuGraphExecDestroy"); }

// Forgets all calls, failures and parameters to show; two devices, of capability 9.0 and 8.0.
void stub_reset() {
    std::lock_guard<std::mutex> held(lock);
    lines.clear();
    failing.clear();
    parameter_bytes.clear();
    listening = true;
}
// Whether calls are written down, and fail as told, from now on: to time what is not the stub's work.
void stub_listen(int on) { listening = on; }
// Launch lines end with so many parameters from now on: "884" shows two of 8 bytes and one of 4.
void stub_parameters(const char *bytes) {
    std::lock_guard<std::mutex> held(lock);
    parameter_bytes = bytes;
}
// The call of this name ("cuLaunchKernel", without _v2) returns `status` from now on.
void stub_fail(const char *call, int status) {
    std::lock_guard<std::mutex> held(lock);
    failing[call] = status;
}
// The calls since the last reset, a line each; valid until the next call of this function.
const char *stub_calls() {
    static std::string text;
    std::lock_guard<std::mutex> held(lock);
    text.clear();
    for (const auto &l : lines) text += l + "\n";
    return text.c_str();
}

} // extern "C"
