// SPDX-License-Identifier: Apache-2.0
// The functions that the host code of a kernel object calls, with the signatures of Halide's CUDA runtime
// (HalideRuntimeCuda.h) and names of our own, so that a foreign Halide in the same process is another thing.
// Their status is dropped by the caller: errors go to the LaunchScope. Nothing is thrown through the caller,
// which has no frames to unwind.
#include "runtime/kernels/buffer_abi.h"
#include "runtime/kernels/cuda/here.h"
#include "runtime/kernels/cuda/object.h"
#include "runtime/kernels/cuda/tensor_map.h"
#include <new>

using namespace ks;
using namespace ks::cuda;

namespace {

constexpr int most_parameters = 64;

int failed(const std::string &line, bool memory = false) {
    if (here.error && here.error->line.empty()) here.error->line = line, here.error->memory = memory;
    return 1;
}

int failed(const OpenDevice &device, Result r) {
    return failed(device.name + ": " + text_of(r), r == out_of_memory);
}

// To be called while an exception is handled.
int failed_by_exception() noexcept {
    const char *const short_of_memory = "out of memory"; // so short that it needs none
    try {
        throw;
    } catch (const std::bad_alloc &) {
        return failed(short_of_memory, true);
    } catch (const std::exception &e) {
        try {
            return failed(e.what(), dynamic_cast<const OutOfMemory *>(&e));
        } catch (const std::bad_alloc &) {
            return failed(short_of_memory, true);
        }
    } catch (...) {
        return failed("unknown error");
    }
}

// A kernel that waits for the launch before it may begin while that one ends.
Result launch(const Object::Ready &kernel, LaunchConfig c, void **parameters) {
    const Driver &d = driver();
    if (!kernel.waits || !d.launch_extended)
        return d.launch(kernel.function, c.grid[0], c.grid[1], c.grid[2], c.block[0], c.block[1], c.block[2],
                        c.shared_bytes, c.stream, parameters, nullptr);
    const LaunchAttribute overlap = {LaunchAttribute::programmatic_stream_serialization, 0, {1}};
    c.attributes = &overlap;
    c.attribute_count = 1;
    return d.launch_extended(&c, kernel.function, parameters, nullptr);
}

} // namespace

extern "C" {

int ks_cuda_initialize_kernels(void **state, const char *images, int) try {
    Object::at(state, images);
    return 0;
} catch (...) {
    return failed_by_exception();
}

int ks_cuda_run(void *state, const char *name, int blocks_x, int blocks_y, int blocks_z, int threads_x,
                int threads_y, int threads_z, int shared_bytes, size_t *sizes, void **arguments,
                const int8_t *is_buffer) try {
    if (!here.device) return 1; // there is nobody to tell
    if (!state) return failed("a kernel was called whose code could not be set up");
    auto *object = static_cast<Object *>(state);
    const TileLaunch *tile = object->launch();
    if (tile) shared_bytes += static_cast<int>(tile->shared_bytes);
    void *parameters[most_parameters + TileLaunch::most_maps];
    int count = 0;
    for (; sizes[count]; count++) {
        if (count == most_parameters) return failed(std::string(name) + " has too many parameters");
        parameters[count] =
            is_buffer[count] ? &static_cast<KernelBuffer *>(arguments[count])->device : arguments[count];
    }
    TensorMap maps[TileLaunch::most_maps];
    const Object::Ready kernel = object->ready(*here.device, name, shared_bytes);
    if (blocks_x <= 0 || blocks_y <= 0 || blocks_z <= 0) return 0; // the driver refuses an empty grid
    for (uint32_t i = 0; tile && i < tile->maps; i++) {
        set_tensor_map(maps[i], *static_cast<KernelBuffer *>(arguments[tile->map[i].argument]), tile->map[i]);
        parameters[count++] = &maps[i];
    }
    auto dimension = [](int n) { return static_cast<unsigned>(n); };
    Result r = launch(kernel,
                      {{dimension(blocks_x), dimension(blocks_y), dimension(blocks_z)},
                       {dimension(threads_x), dimension(threads_y), dimension(threads_z)},
                       dimension(shared_bytes),
                       here.stream,
                       nullptr,
                       0},
                      parameters);
    return r ? failed(*here.device, r) : 0;
} catch (...) {
    return failed_by_exception();
}

void ks_cuda_finalize_kernels(void *, void *) {}

// Operands are on the device already.
int ks_cuda_copy_to_device(void *, const void *) { return 0; }

const void *ks_cuda_device_interface() { return nullptr; }

} // extern "C"
