// SPDX-License-Identifier: Apache-2.0
// A file appears whole with commit() and leaves nothing behind without it.
#include "runtime/io/atomic_file.h"
#include "tests/runtime/io/files.h"

namespace ks::io {

namespace {

size_t entries(const std::string &folder) {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

} // namespace

TEST(AtomicFile, AppearsWithCommit) {
    test::ScratchFolder folder;
    folder.write("a", "old");
    AtomicFile file(folder.path("a"));
    file.write("new ", 4);
    file.write("text", 4);
    EXPECT_EQ(test::read_all(folder.path("a")), "old");
    file.commit();
    EXPECT_EQ(test::read_all(folder.path("a")), "new text");
    EXPECT_EQ(entries(folder.path()), 1u);
}

TEST(AtomicFile, LeavesNothingWithoutCommit) {
    test::ScratchFolder folder;
    folder.write("a", "old");
    {
        AtomicFile file(folder.path("a")), other(folder.path("b"));
        file.write("new", 3);
        EXPECT_EQ(entries(folder.path()), 3u);
    }
    EXPECT_EQ(test::read_all(folder.path("a")), "old");
    EXPECT_EQ(entries(folder.path()), 1u);
}

TEST(AtomicFile, NamesTheFileThatCannotBeWritten) {
    test::ScratchFolder folder;
    test::expect_error(folder.path("no/a") + ": ", "cannot create",
                       [&] { AtomicFile file(folder.path("no/a")); });
    std::filesystem::create_directory(folder.path("taken"));
    folder.write("taken/x", "1");
    AtomicFile file(folder.path("taken"));
    test::expect_error(folder.path("taken") + ": ", "cannot rename", [&] { file.commit(); });
}

} // namespace ks::io
