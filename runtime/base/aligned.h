// SPDX-License-Identifier: Apache-2.0
// Memory for kernels: cache-line aligned, in huge pages where the system gives them (weights stream faster).
#pragma once
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <sys/mman.h>

namespace ks {

class AlignedBytes {
  public:
    AlignedBytes() = default;
    // Zero-filled. Throws std::bad_alloc.
    explicit AlignedBytes(size_t bytes) : size_(bytes) {
        constexpr size_t huge = size_t{2} << 20;
        size_t alignment = bytes >= huge ? huge : 64, whole = (bytes + alignment - 1) / alignment * alignment;
        if (!whole) return;
        data_.reset(static_cast<std::byte *>(std::aligned_alloc(alignment, whole)));
        if (!data_) throw std::bad_alloc();
        if (alignment == huge) madvise(data_.get(), whole, MADV_HUGEPAGE);
        std::memset(data_.get(), 0, whole);
    }
    std::byte *data() const { return data_.get(); }
    size_t size() const { return size_; }
    float *floats() const { return reinterpret_cast<float *>(data_.get()); }

  private:
    struct Free {
        void operator()(std::byte *p) const { std::free(p); }
    };
    std::unique_ptr<std::byte[], Free> data_;
    size_t size_ = 0;
};

} // namespace ks
