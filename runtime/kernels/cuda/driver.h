// SPDX-License-Identifier: Apache-2.0
// The NVIDIA driver as this process finds it: libcuda.so.1, opened when the first device is asked for, so
// that a pack with GPU kernels loads on machines without a GPU. Types and numbers are those of the driver's C
// interface.
#pragma once
#include "runtime/base/error.h"
#include <cstddef>
#include <cstdint>
#include <string>

namespace ks::cuda {

using Result = int; // CUresult; 0 is success
using Device = int;
using Context = struct CUctx_st *;
using Module = struct CUmod_st *;
using Function = struct CUfunc_st *;
using Event = struct CUevent_st *;
using Graph = struct CUgraph_st *;
using GraphExec = struct CUgraphExec_st *;
using Address = unsigned long long;  // CUdeviceptr
using Stream = struct CUstream_st *; // null: the default stream

// CUlaunchAttribute and CUlaunchConfig.
struct alignas(8) LaunchAttribute {
    enum Kind : int { programmatic_stream_serialization = 6 };
    Kind kind;
    int padding;
    int value[16];
};
struct LaunchConfig {
    unsigned grid[3], block[3], shared_bytes;
    Stream stream;
    const LaunchAttribute *attributes;
    unsigned attribute_count;
};
static_assert(sizeof(LaunchAttribute) == 72 && sizeof(LaunchConfig) == 56, "as in cuda.h");

// What opening devices and launching kernels need.
struct Driver {
    Result (*init)(unsigned flags);
    Result (*driver_version)(int *version); // 13000: CUDA 13.0
    Result (*device_count)(int *count);
    Result (*device_get)(Device *device, int ordinal);
    Result (*device_name)(char *name, int size, Device device);
    Result (*device_attribute)(int *value, int attribute, Device device);
    Result (*primary_retain)(Context *context, Device device);
    Result (*primary_release)(Device device);
    Result (*push_context)(Context context);
    Result (*pop_context)(Context *context);
    Result (*current_context)(Context *context);
    Result (*load_module)(Module *module, const void *image);
    Result (*unload_module)(Module module);
    Result (*get_function)(Function *function, Module module, const char *name);
    Result (*set_function_attribute)(Function function, int attribute, int value);
    Result (*launch)(Function function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                     unsigned block_y, unsigned block_z, unsigned shared_bytes, Stream stream,
                     void **parameters, void **extra);
    // Null in drivers older than CUDA 11.8: launches then do not overlap.
    Result (*launch_extended)(const LaunchConfig *config, Function function, void **parameters, void **extra);
    // Null in drivers older than CUDA 12: only kernels with a TileLaunch need it.
    Result (*encode_tensor_map)(void *map, int type, unsigned rank, Address address, const uint64_t *size,
                                const uint64_t *row_bytes, const uint32_t *box,
                                const uint32_t *element_strides, int interleave, int swizzle, int promotion,
                                int outside);
    Result (*error_name)(Result result, const char **name);
    Result (*error_text)(Result result, const char **text);
};

// What programs that own memory and time themselves need beside it (memory.h, timer.h): a driver that lacks
// some of these still launches.
struct DriverTools {
    Result (*allocate)(Address *address, size_t bytes);
    Result (*free)(Address address);
    Result (*copy_to_device)(Address to, const void *from, size_t bytes);
    Result (*copy_to_host)(void *to, Address from, size_t bytes);
    Result (*fill_bytes)(Address address, unsigned char value, size_t bytes);
    Result (*synchronize)();
    Result (*create_stream)(Stream *stream, unsigned flags);
    Result (*destroy_stream)(Stream stream);
    Result (*create_event)(Event *event, unsigned flags);
    Result (*destroy_event)(Event event);
    Result (*record_event)(Event event, Stream stream);
    Result (*wait_for_event)(Event event);
    Result (*elapsed_ms)(float *ms, Event from, Event to);
    Result (*begin_capture)(Stream stream, int mode);
    Result (*end_capture)(Stream stream, Graph *graph);
    Result (*instantiate)(GraphExec *exec, Graph graph, unsigned long long flags);
    Result (*launch_graph)(GraphExec exec, Stream stream);
    Result (*destroy_graph)(Graph graph);
    Result (*destroy_exec)(GraphExec exec);
};

enum Attribute { // of devices
    max_shared_bytes_per_block = 97,
    compute_capability_major = 75,
    compute_capability_minor = 76,
    multiprocessors = 16,
    cache_bytes = 38, // of the second level
};
enum FunctionAttribute { dynamic_shared_bytes = 8, shared_carveout_percent = 9 };

// Opened and initialised once per process; any thread. KS_LIBCUDA names another library (tests bring a stub).
// Throws ks::Error, at every call anew: there is no driver, it lacks an entry point (the line says the
// driver's CUDA version and the one needed), or it does not start.
const Driver &driver();

// The same for the tools, bound when they are first asked for.
const DriverTools &driver_tools();

// "CUDA_ERROR_OUT_OF_MEMORY: out of memory" as the driver puts it; "error 12345" where it knows no such.
std::string text_of(Result result);

// What is thrown where the driver says that there is no memory left.
struct OutOfMemory : Error {
    using Error::Error;
};

constexpr Result out_of_memory = 2;

// Throws ks::Error(what, text_of(result)) when it is not 0: OutOfMemory where it is that.
void check(Result result, const char *what);

} // namespace ks::cuda
