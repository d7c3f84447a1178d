// SPDX-License-Identifier: Apache-2.0
// Device memory and events, for programs that have their data on the host and time themselves. Kernel calls
// need none of it. Everything throws ks::Error with the driver's reason.
#pragma once
#include "runtime/kernels/cuda/launcher.h"
#include <utility>

namespace ks::cuda {

class DeviceMemory {
  public:
    DeviceMemory(const OpenDevice &device, size_t bytes); // uninitialised, aligned to 256 bytes
    ~DeviceMemory();
    DeviceMemory(DeviceMemory &&other) noexcept
        : device_(other.device_), bytes_(other.bytes_), address_(std::exchange(other.address_, 0)) {}
    DeviceMemory(const DeviceMemory &) = delete;
    DeviceMemory &operator=(const DeviceMemory &) = delete;

    Address address() const { return address_; }
    size_t bytes() const { return bytes_; }
    // All wait until it is done. (The driver's own copy from pageable memory and its fill may return earlier,
    // and streams beside the default one do not wait for them.)
    void copy_from(const void *host, size_t bytes, size_t offset = 0);
    void copy_to(void *host, size_t bytes, size_t offset = 0) const;
    void fill(unsigned char value);

  private:
    const OpenDevice *device_;
    size_t bytes_;
    Address address_ = 0;
};

// Waits for all that was put on any stream of the device; throws what went wrong in a kernel.
void synchronize(const OpenDevice &device);

} // namespace ks::cuda
