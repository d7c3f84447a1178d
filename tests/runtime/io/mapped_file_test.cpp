// SPDX-License-Identifier: Apache-2.0
// Mapping, moving and the refusals of MappedFile.
#include "runtime/io/mapped_file.h"
#include "tests/runtime/io/files.h"
#include <sys/stat.h>

namespace ks::io {

TEST(MappedFile, ShowsTheBytesAndKeepsThemWhenMoved) {
    test::ScratchFolder folder;
    MappedFile a(folder.write("a", "hello")), b(folder.write("b", "other"));
    const std::byte *data = a.data();
    MappedFile c(std::move(a));
    EXPECT_EQ(c.data(), data);
    EXPECT_EQ(a.data(), nullptr); // NOLINT: the moved-from state is part of the contract
    b = std::move(c);
    EXPECT_EQ(b.data(), data);
    EXPECT_EQ(std::string(reinterpret_cast<const char *>(b.data()), b.size()), "hello");
    EXPECT_EQ(b.path(), folder.path("a"));
}

TEST(MappedFile, EmptyFile) {
    test::ScratchFolder folder;
    MappedFile file(folder.write("empty", ""));
    EXPECT_EQ(file.size(), 0u);
    EXPECT_EQ(file.data(), nullptr);
}

TEST(MappedFile, RefusesWhatIsNoFile) {
    test::ScratchFolder folder;
    test::expect_error(folder.path("absent"), "cannot open", [&] { MappedFile file(folder.path("absent")); });
    test::expect_error(folder.path(), "is not a regular file", [&] { MappedFile file(folder.path()); });
    ASSERT_EQ(::mkfifo(folder.path("pipe").c_str(), 0600), 0);
    test::expect_error(folder.path("pipe"), "is not a regular file",
                       [&] { MappedFile file(folder.path("pipe")); });
}

} // namespace ks::io
