// SPDX-License-Identifier: Apache-2.0
// A libcuda that runs nothing and writes down every call, one line each, for tests of the launcher without a
// GPU. It is steered through the functions at the end, which a test finds with dlsym.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

namespace {

std::mutex lock;
std::vector<std::string> lines;
std::map<std::string, int> failing; // call -> status
int devices = 2, most_shared = 232448;
int capability[2][2] = {{9, 0}, {8, 0}};
thread_local std::vector<void *> contexts;

template <typename... T>
int called(const char *name, const T &...values) {
    std::lock_guard<std::mutex> held(lock);
    std::ostringstream line;
    line << name;
    ((line << " " << values), ...);
    lines.push_back(line.str());
    auto found = failing.find(name);
    return found == failing.end() ? 0 : found->second;
}

void *handle(size_t n) { return reinterpret_cast<void *>(n); }

} // namespace

extern "C" {

int cuInit(unsigned) { return called("cuInit"); }
int cuDriverGetVersion(int *v) { return *v = 13000, called("cuDriverGetVersion"); }
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
int cuDevicePrimaryCtxRelease_v2(int d) { return called("cuDevicePrimaryCtxRelease", d); }
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
    *m = handle(2000);
    return called("cuModuleLoadData", std::memcmp(image, "\177ELF", 4) == 0 ? "cubin" : "ptx",
                  contexts.back());
}
int cuModuleUnload(void *) { return called("cuModuleUnload"); }
int cuModuleGetFunction(void **f, void *, const char *name) {
    return *f = handle(3000), called("cuModuleGetFunction", name);
}
int cuFuncSetAttribute(void *, int which, int value) { return called("cuFuncSetAttribute", which, value); }
int cuLaunchKernel(void *, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                   unsigned shared, void *stream, void **parameters, void **) {
    unsigned long long first; // the first parameter is the address of a buffer
    std::memcpy(&first, parameters[0], sizeof first);
    return called("cuLaunchKernel", gx, gy, gz, bx, by, bz, shared, stream, first);
}
int cuTensorMapEncodeTiled(void *map, int type, unsigned rank, unsigned long long address,
                           const unsigned long long *size, const unsigned long long *row_bytes,
                           const unsigned *box, const unsigned *, int, int swizzle, int, int) {
    std::memset(map, 0, 128);
    return called("cuTensorMapEncodeTiled", type, rank, address, size[0], size[1], row_bytes[0], box[0],
                  box[1], swizzle);
}
int cuGetErrorString(int status, const char **text) {
    static const std::map<int, const char *> known = {{2, "out of memory"},
                                                      {100, "no CUDA-capable device is detected"},
                                                      {209, "no kernel image is available"}};
    auto found = known.find(status);
    return *text = found == known.end() ? "some error" : found->second, 0;
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
int cuGraphInstantiateWithFlags(void **e, void *, unsigned long long) {
    return *e = handle(7000), called("cuGraphInstantiate");
}
int cuGraphLaunch(void *, void *) { return called("cuGraphLaunch"); }
int cuGraphDestroy(void *) { return called("cuGraphDestroy"); }
int cuGraphExecDestroy(void *) { return called("cuGraphExecDestroy"); }

// Forgets all calls and failures; two devices, of capability 9.0 and 8.0.
void stub_reset() {
    std::lock_guard<std::mutex> held(lock);
    lines.clear();
    failing.clear();
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
