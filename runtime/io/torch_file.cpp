// SPDX-License-Identifier: Apache-2.0
// A torch zip: "<prefix>/data.pkl" describes the tensors, "<prefix>/data/<key>" are their storages.
#include "runtime/io/torch_file.h"
#include "runtime/base/error.h"
#include "runtime/io/bytes.h"
#include "runtime/io/pickle.h"
#include "runtime/io/zip.h"
#include <cstring>
#include <unordered_set>

namespace ks::io {

namespace {

constexpr uint64_t kMaxPickle = uint64_t{64} << 20;

bool begins_with(const MappedFile &file, const char *magic, size_t count) {
    return file.size() >= count && std::memcmp(file.data(), magic, count) == 0;
}

// Says what a file without a zip archive is, since files in the old torch format are still about.
void check_kind(const MappedFile &file) {
    if (begins_with(file, "PK\3\4", 4)) return;
    // The pickled magic number that the old format begins with.
    if (begins_with(file, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 14))
        throw Error(file.path(),
                    "is in the old torch format: load and save it again with torch 1.6 or later");
    throw Error(file.path(), "is not a torch checkpoint (no zip archive)");
}

// The dict that maps names to tensors.
const PickleDict &state_dict(const std::string &path, PickleRef root) {
    const auto *top = root->as<PickleDict>();
    if (!top) throw Error(path, "the checkpoint is not a dict");
    for (const char *nested : {"model", "state_dict"}) {
        for (const auto &[key, value] : top->items) {
            const auto *name = key->as<std::string>();
            if (name && *name == nested && value->as<PickleDict>()) return *value->as<PickleDict>();
        }
    }
    return *top;
}

class TorchFile {
  public:
    explicit TorchFile(const MappedFile &file) : file_(file), zip_(file) {}

    std::vector<Tensor> read() {
        find_prefix();
        check_byte_order();
        std::vector<std::byte> text = zip_.read(*zip_.find(prefix_ + "data.pkl"), kMaxPickle);
        Pickle pickle = parse_pickle(file_.path(), text.data(), text.size());
        const PickleDict &dict = state_dict(file_.path(), pickle.root);
        std::vector<Tensor> out;
        out.reserve(dict.items.size());
        std::unordered_set<std::string> seen;
        for (const auto &[key, value] : dict.items) {
            const auto *name = key->as<std::string>();
            if (!name) throw Error(file_.path(), "a key of the state dict is not text");
            if (!seen.insert(*name).second)
                throw Error(file_.path(), "tensor " + shown(*name) + " appears twice");
            const auto *view = value->as<PickleTensor>();
            if (!view)
                throw Error(file_.path(), "key " + shown(*name) + " of the state dict is not a tensor");
            out.push_back(tensor_of(*name, *view));
        }
        return out;
    }

  private:
    [[noreturn]] void fail(const std::string &name, const std::string &cause) const {
        throw Error(file_.path(), "tensor " + shown(name) + ": " + cause);
    }

    // The folder inside the archive is named after the file that was saved: found by its data.pkl.
    void find_prefix() {
        for (const ZipMember &member : zip_.members()) {
            size_t slash = member.name.find('/');
            if (slash == std::string::npos || member.name.compare(slash, std::string::npos, "/data.pkl") != 0)
                continue;
            if (!prefix_.empty()) throw Error(file_.path(), "holds two torch checkpoints");
            prefix_ = member.name.substr(0, slash + 1);
        }
        if (prefix_.empty())
            throw Error(file_.path(), "is a zip archive but not a torch checkpoint (no data.pkl)");
    }

    void check_byte_order() const {
        const ZipMember *order = zip_.find(prefix_ + "byteorder"); // absent before torch 2.1: little
        if (!order) return;
        std::vector<std::byte> text = zip_.read(*order, 64);
        if (std::string(reinterpret_cast<const char *>(text.data()), text.size()) != "little")
            throw Error(file_.path(), "was saved on a machine that is not little-endian");
    }

    const ZipMember &storage_of(const std::string &name, const PickleStorage &storage) const {
        const ZipMember *member = zip_.find(prefix_ + "data/" + storage.key);
        if (!member) fail(name, "its storage " + shown(storage.key) + " is missing");
        if (member->method != 0) fail(name, "its storage is compressed, which torch never does");
        uint64_t bytes = 0;
        if (!checked_mul(static_cast<uint64_t>(storage.elements), size_of(storage.dtype), bytes) ||
            bytes != member->size)
            fail(name, "its storage has " + std::to_string(member->size) + " bytes, not " +
                           std::to_string(storage.elements) + " elements of " + name_of(storage.dtype));
        return *member;
    }

    Tensor tensor_of(const std::string &name, const PickleTensor &view) const {
        if (view.shape.size() > kMaxRank)
            fail(name, "has " + std::to_string(view.shape.size()) + " dimensions, at most 8 are read");
        Tensor tensor;
        tensor.name = name;
        tensor.dtype = view.storage.dtype;
        tensor.shape = view.shape;
        uint64_t bytes = 0, begin = 0;
        if (!checked_bytes(tensor.shape, tensor.dtype, bytes))
            fail(name, "shape " + shape_text(tensor.shape) + " is too large");
        if (bytes > 0) check_contiguous(name, view);
        const ZipMember &storage = storage_of(name, view.storage);
        if (!checked_mul(static_cast<uint64_t>(view.offset), size_of(tensor.dtype), begin) ||
            !fits(begin, bytes, storage.size))
            fail(name, "shape " + shape_text(tensor.shape) + " at element " + std::to_string(view.offset) +
                           " runs past its storage of " + std::to_string(view.storage.elements) +
                           " elements");
        tensor.data = storage.data + begin;
        tensor.bytes = bytes;
        return tensor;
    }

    void check_contiguous(const std::string &name, const PickleTensor &view) const {
        int64_t expected = 1; // cannot overflow: the bytes of the shape were checked
        for (size_t i = view.shape.size(); i-- > 0;) {
            if (view.shape[i] != 1 && view.strides[i] != expected)
                fail(name, "is not contiguous (shape " + shape_text(view.shape) + ", strides " +
                               shape_text(view.strides) + "): save it with .contiguous()");
            expected *= view.shape[i];
        }
    }

    const MappedFile &file_;
    ZipReader zip_;
    std::string prefix_; // ends with '/'
};

} // namespace

std::vector<Tensor> read_torch_file(const MappedFile &file) {
    check_kind(file);
    return TorchFile(file).read();
}

} // namespace ks::io
