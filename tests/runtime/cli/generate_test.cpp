// SPDX-License-Identifier: Apache-2.0
// ks generate: what is text and what is not, saved texts, prompts from files.
#include "tests/runtime/cli/process.h"
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

namespace ks::test {
namespace {

const std::string model = std::string("'") + KS_SOURCE_DIR + "/models/kjv-8x11m'";

class Generate : public Process {
  protected:
    Said generate(const std::string &flags) { return run("generate -m " + model + " -t 1 " + flags); }
    // Without the line end that closes the text.
    std::string text(const std::string &flags) {
        Said said = generate(flags);
        EXPECT_EQ(said.status, 0) << said.err;
        EXPECT_EQ(said.out.back(), '\n');
        return said.out.substr(0, said.out.size() - 1);
    }
};

TEST_F(Generate, OnlyTheTextGoesToStandardOutput) {
    Said said = generate("-p 'And the LORD' -n 5 --temp 0");
    ASSERT_EQ(said.status, 0);
    EXPECT_EQ(said.out.rfind("And the LORD", 0), 0u);
    EXPECT_EQ(said.out.find("tokens/s"), std::string::npos);
    EXPECT_NE(said.err.find("generated 5 tokens"), std::string::npos) << said.err;
    size_t notice = said.err.find("running on base kernels"); // at most once
    if (notice != std::string::npos) {
        EXPECT_EQ(said.err.find("running on base kernels", notice + 1), std::string::npos);
    }
}

TEST_F(Generate, NoTokensGiveThePrompt) { EXPECT_EQ(text("-p 'And the LORD' -n 0"), "And the LORD"); }

TEST_F(Generate, PromptFromAFileIsThePrompt) {
    scratch_.write("prompt", "In the beginning");
    EXPECT_EQ(text("-f " + quoted("prompt") + " -n 20 --temp 0"),
              text("-p 'In the beginning' -n 20 --temp 0"));
    scratch_.write("empty", "");
    EXPECT_EQ(text("-f " + quoted("empty") + " -n 8 --temp 0"), text("-p '' -n 8 --temp 0"));
}

TEST_F(Generate, SavedTextGoesOnAsIfNeverStopped) {
    std::string whole = text("-p 'And it came to pass' -n 30 --temp 0 --repeat-penalty 1.3");
    std::string first =
        text("-p 'And it came to pass' -n 11 --temp 0 --repeat-penalty 1.3 --state-out " + quoted("a.npz"));
    std::string second = text("-n 9 --temp 0 --repeat-penalty 1.3 --state-in " + quoted("a.npz") +
                              " --state-out " + quoted("b.npz"));
    std::string third = text("-n 10 --temp 0 --repeat-penalty 1.3 --state-in " + quoted("b.npz"));
    EXPECT_EQ(first + second + third, whole);
}

TEST_F(Generate, SavedTextGoesOnWithItsOwnDraws) {
    const std::string flags = " --temp 1.1 --top-k 0 --repeat-penalty 1.2 --repeat-last-n 8 ";
    std::string whole = text("-p 'And God said' -n 24 --seed 5" + flags);
    std::string first = text("-p 'And God said' -n 12 --seed 5 --state-out " + quoted("a.npz") + flags);
    EXPECT_EQ(first + text("-n 12 --state-in " + quoted("a.npz") + flags), whole);
    EXPECT_NE(first + text("-n 12 --seed 5 --state-in " + quoted("a.npz") + flags), whole)
        << "a seed that is given begins anew";
}

TEST_F(Generate, SavedTextMayEndInsideACharacter) {
    const std::string flags = " --temp 50 --top-k 0 --top-p 1 ", character = "\xD8\xA1"; // tokens 8 and 9
    std::string whole = text("-p x -n 12 --seed 193" + flags);
    ASSERT_NE(whole.find(character), std::string::npos) << "no character of two tokens, choose another seed";
    std::string first = text("-p x -n 8 --seed 193 --state-out " + quoted("a.npz") + flags);
    EXPECT_EQ(whole.find(character), first.size()) << "the first part must end inside the character";
    EXPECT_EQ(first + text("-n 4 --state-in " + quoted("a.npz") + flags), whole);
}

TEST_F(Generate, SavedPromptTakesMoreOfIt) {
    text("-p 'In the' -n 0 --state-out " + quoted("s.npz"));
    EXPECT_EQ("In the" + text("-p ' beginning' -n 20 --temp 0 --state-in " + quoted("s.npz")),
              text("-p 'In the beginning' -n 20 --temp 0"));
}

TEST_F(Generate, StopsAtTheEndOfText) {
    Said said = generate("-p 'Amen.' -n 3000 --temp 1 --seed 3");
    ASSERT_EQ(said.status, 0);
    EXPECT_EQ(said.out.find("<|endoftext|>"), std::string::npos);
    EXPECT_EQ(said.err.find("generated 3000"), std::string::npos) << "this text ends sooner: " << said.err;
}

TEST_F(Generate, AnyBytesStayWholeCharacters) {
    // Flat sampling of all tokens, single bytes among them.
    Said said = generate("-p 'x' -n 300 --temp 50 --top-k 0 --top-p 1 --seed 1");
    ASSERT_EQ(said.status, 0);
    EXPECT_NE(said.out.find("\xEF\xBF\xBD"), std::string::npos)
        << "no broken bytes came up, choose another seed";
    EXPECT_NO_THROW(nlohmann::json(said.out).dump()) << "this library refuses text that is not UTF-8";
}

TEST_F(Generate, RefusesDamagedStates) {
    scratch_.write("s.npz", "not a zip");
    expect_refused(generate("-p x -n 1 --state-in " + quoted("s.npz")), {path("s.npz")});
    std::vector<float> some(4);
    io::write_npz(path("s.npz"), {io::tensor_of("conv.0", some, {1, 2, 2})});
    expect_refused(generate("-p x -n 1 --state-in " + quoted("s.npz")), {path("s.npz")});
    expect_refused(generate("-p x -n 1 --state-out " + quoted("no/such/folder")), {path("no/such/folder")});
}

// Rewrites a saved text with one array replaced, or without it.
TEST_F(Generate, RefusesSavedTextsOfOtherModelsAndShapes) {
    text("-p x -n 1 --state-out " + quoted("good.npz"));
    std::map<std::string, io::Array> arrays;
    io::NpzReader good(path("good.npz"));
    for (const auto &name : good.names()) arrays[name] = good.read(name);
    auto refused = [&](const std::string &name, const io::Array *array, const std::string &cause) {
        std::vector<io::Tensor> tensors;
        for (const auto &[key, value] : arrays) {
            const io::Array *kept = key == name ? array : &value;
            if (kept) tensors.push_back(kept->tensor(key));
        }
        io::write_npz(path("bad.npz"), tensors);
        expect_refused(generate("-n 1 --state-in " + quoted("bad.npz")), {path("bad.npz"), name, cause});
    };
    auto bytes = [](size_t count) { return std::vector<std::byte>(count); };
    const io::Array none{DType::i64, {0}, {}}, real{DType::f32, {4}, bytes(16)},
        zeros{DType::i64, {4}, bytes(32)}, one{DType::i64, {1}, bytes(8)},
        far{DType::i32, {1}, std::vector<std::byte>(4, std::byte{0x7f})};
    for (const char *name : {"ids", "generator", "checkpoint", "scan.0", "conv.0", "positions"}) {
        refused(name, nullptr, "has no array");
        refused(name, &none, "");
    }
    refused("ids", &real, "expected a list of i32");
    refused("ids", &far, "which the model lacks");
    refused("generator", &real, "expected a list of 4 i64");
    refused("generator", &one, "expected a list of 4 i64");
    refused("generator", &zeros, "all zero");
    arrays["checkpoint"] = one;
    refused("", nullptr, "was saved from another model");
}

TEST_F(Generate, RefusesBadFlagsAndFiles) {
    expect_refused(generate("-f " + quoted("none")), {path("none")});
    expect_refused(generate("-f " + quoted("")), {path("")}); // a folder
    expect_refused(generate("-p x --temp nan"), {"temperature"});
    expect_refused(generate("-p x --tokenizer " + quoted("none.json")), {path("none.json")});
    scratch_.write("t.json", "{\"model\":");
    expect_refused(generate("-p x --tokenizer " + quoted("t.json")), {path("t.json")});
    EXPECT_EQ(generate("-p x -f y").status, 2);
    EXPECT_EQ(generate("-p x -n -1").status, 2);
    EXPECT_EQ(generate("-p x -n many").status, 2);
}

TEST_F(Generate, FullDiskIsAnError) {
    if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "needs /dev/full";
    expect_refused(run("generate -m " + model + " -p x -n 2", "/dev/full"), {"standard output"});
    expect_refused(run("info -m " + model, "/dev/full"), {"standard output"});
}

} // namespace
} // namespace ks::test
