// SPDX-License-Identifier: Apache-2.0
// npz arrays are zip members called "<name>.npy".
#include "runtime/io/npz.h"
#include "runtime/base/error.h"
#include "runtime/io/bytes.h"
#include "runtime/io/zip_writer.h"

namespace ks::io {

namespace {

constexpr const char *kSuffix = ".npy";
constexpr uint64_t kHeaderRoom = uint64_t{64} << 10; // the limit is on the array, the member has a header too

} // namespace

NpzReader::NpzReader(const std::string &path, uint64_t limit) : file_(path), zip_(file_), limit_(limit) {}

std::vector<std::string> NpzReader::names() const {
    std::vector<std::string> out;
    for (const ZipMember &member : zip_.members()) {
        if (member.name.size() <= 4 || member.name.compare(member.name.size() - 4, 4, kSuffix) != 0) continue;
        out.push_back(member.name.substr(0, member.name.size() - 4));
    }
    return out;
}

Array NpzReader::read(const std::string &name) const {
    const ZipMember *member = zip_.find(name + kSuffix);
    if (!member) throw Error(file_.path(), "has no array " + shown(name));
    uint64_t limit = 0;
    if (!checked_add(limit_, kHeaderRoom, limit)) limit = limit_;
    std::vector<std::byte> bytes = zip_.read(*member, limit);
    Tensor view = parse_npy(file_.path() + ": array " + shown(name), bytes.data(), bytes.size());
    Array out{view.dtype, view.shape, {}};
    bytes.erase(bytes.begin(), bytes.begin() + (view.data - bytes.data()));
    out.data = std::move(bytes);
    return out;
}

void write_npz(const std::string &path, const std::vector<Tensor> &tensors) {
    ZipWriter zip(path);
    for (const Tensor &tensor : tensors) {
        if (tensor.name.empty()) throw Error(path, "an array to be written has no name");
        const std::string header = npy_header(path, tensor);
        zip.add(tensor.name + kSuffix, {{header.data(), header.size()}, {tensor.data, tensor.bytes}});
    }
    zip.finish();
}

} // namespace ks::io
