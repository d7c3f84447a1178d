// SPDX-License-Identifier: Apache-2.0
#include "dsl/ptx/images.h"
#include "runtime/base/error.h"
#include <cstring>
#include <regex>

namespace ks::ptx {

namespace {

cuda::ImageEntry entry_of(const Image &image) {
    return {image.kind,
            static_cast<uint32_t>(capability(image.arch)),
            image.arch.back() == 'a' ? 1u : 0u,
            image.waits ? 1u : 0u,
            0,
            image.bytes.size()};
}

template <typename T>
void put(std::vector<uint8_t> &out, size_t at, const T &value) {
    std::memcpy(out.data() + at, &value, sizeof value);
}

} // namespace

// A suffix a means that architecture alone; f (a family) is not used.
int capability(const std::string &arch) {
    std::smatch found;
    if (!std::regex_match(arch, found, std::regex("sm_(\\d+)a?")))
        throw Error("architecture " + arch, "is not sm_ and a number");
    return std::stoi(found[1]);
}

std::vector<uint8_t> join_images(const std::vector<Image> &images) {
    std::vector<uint8_t> out(sizeof(cuda::ImageHeader) + images.size() * sizeof(cuda::ImageEntry));
    for (size_t i = 0; i < images.size(); i++) {
        cuda::ImageEntry e = entry_of(images[i]);
        out.resize((out.size() + 15) / 16 * 16);
        e.offset = out.size();
        put(out, sizeof(cuda::ImageHeader) + i * sizeof e, e);
        out.insert(out.end(), images[i].bytes.begin(), images[i].bytes.end());
    }
    cuda::ImageHeader header{{}, out.size(), static_cast<uint32_t>(images.size()), 0};
    std::memcpy(header.magic, cuda::image_magic, sizeof header.magic);
    put(out, 0, header);
    return out;
}

} // namespace ks::ptx
