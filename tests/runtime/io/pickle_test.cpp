// SPDX-License-Identifier: Apache-2.0
// The unpickler on pickles of CPython, on hand-made hostile ones, and on every prefix of the good ones.
#include "runtime/io/pickle.h"
#include "tests/runtime/io/files.h"

namespace ks::io {

namespace {

using test::le;
namespace p = test::pickled;

// Written by CPython's pickle from stand-ins of torch's classes: {"model": OrderedDict(w, tied parameter, b)
// with _metadata, "epoch": 7, "lr": 0.5, "big": 2**40, "neg": -3, "args": [1, "x", None, True, (1, 2, 3,
// 4)]}.
const char *kProtocol2 =
    "80027d71002858050000006d6f64656c710163636f6c6c656374696f6e730a4f726465726564446963740a71022952710328"
    "580100000077710463746f7263682e5f7574696c730a5f72656275696c645f74656e736f725f76320a710528285807000000"
    "73746f72616765710663746f7263680a466c6f617453746f726167650a71075801000000307108580300000063707571094b"
    "0674710a514b004b024b0386710b4b034b0186710c8968022952710d74710e52710f580400000074696564711063746f7263"
    "682e5f7574696c730a5f72656275696c645f706172616d657465720a71116805282868066807680868094b06747112514b00"
    "680b680c89680229527113747114527115886802295271168771175271185801000000627119680528286806680758010000"
    "0031711a68094b0274711b514b004b0285711c4b0185711d8968022952711e74711f527120757d712158090000005f6d6574"
    "61646174617122680229527123580000000071247d7125580700000076657273696f6e71264b017373736258050000006570"
    "6f636871274b0758020000006c727128473fe0000000000000580300000062696771298a0600000000000158030000006e65"
    "67712a4afdffffff580400000061726773712b5d712c284b01580100000078712d4e88284b014b024b034b0474712e65752e";
const char *kProtocol4 =
    "80049593010000000000007d94288c056d6f64656c948c0b636f6c6c656374696f6e73948c0b4f7264657265644469637494"
    "9394295294288c0177948c0c746f7263682e5f7574696c73948c125f72656275696c645f74656e736f725f76329493942828"
    "8c0773746f72616765948c05746f726368948c0c466c6f617453746f726167659493948c0130948c03637075944b06749451"
    "4b004b024b0386944b034b018694896804295294749452948c04746965649468078c125f72656275696c645f706172616d65"
    "74657294939468092828680a680d680e680f4b067494514b006811681289680429529474945294886804295294879452948c"
    "01629468092828680a680d8c013194680f4b027494514b004b0285944b01859489680429529474945294757d948c095f6d65"
    "7461646174619468042952948c00947d948c0776657273696f6e944b01737373628c0565706f6368944b078c026c7294473f"
    "e00000000000008c03626967948a060000000000018c036e6567944afdffffff8c0461726773945d94284b018c0178944e88"
    "284b014b024b034b04749465752e";

Pickle parse(const std::string &bytes) {
    return parse_pickle("f.bin", reinterpret_cast<const std::byte *>(bytes.data()), bytes.size());
}
void refuses(const std::string &body, const std::string &cause) {
    // An exact copy on the heap, so that a read past its end is caught by the address sanitizer.
    std::vector<char> bytes(body.begin(), body.end());
    test::expect_error("f.bin: pickle: ", cause, [&] {
        parse_pickle("f.bin", reinterpret_cast<const std::byte *>(bytes.data()), bytes.size());
    });
}
void refuses_body(const std::string &body, const std::string &cause) { refuses(p::whole(body), cause); }

PickleRef find(const PickleDict &dict, const std::string &name) {
    for (const auto &[key, value] : dict.items)
        if (key->as<std::string>() && *key->as<std::string>() == name) return value;
    return nullptr;
}

void check_golden(const std::string &bytes) {
    Pickle pickle = parse(bytes);
    const auto &top = *pickle.root->as<PickleDict>();
    EXPECT_EQ(*find(top, "epoch")->as<int64_t>(), 7);
    EXPECT_EQ(*find(top, "lr")->as<double>(), 0.5);
    EXPECT_EQ(*find(top, "big")->as<int64_t>(), int64_t{1} << 40);
    EXPECT_EQ(*find(top, "neg")->as<int64_t>(), -3);
    const auto &args = find(top, "args")->as<PickleList>()->items;
    ASSERT_EQ(args.size(), 5u);
    EXPECT_EQ(*args[1]->as<std::string>(), "x");
    EXPECT_TRUE(args[2]->as<std::monostate>());
    EXPECT_TRUE(*args[3]->as<bool>());
    EXPECT_EQ(args[4]->as<PickleTuple>()->items.size(), 4u);
    const auto &model = *find(top, "model")->as<PickleDict>();
    ASSERT_EQ(model.items.size(), 3u);
    for (const char *name : {"w", "tied"}) {
        const auto *w = find(model, name)->as<PickleTensor>();
        ASSERT_TRUE(w);
        EXPECT_EQ(w->storage.key, "0");
        EXPECT_EQ(w->storage.dtype, DType::f32);
        EXPECT_EQ(w->storage.elements, 6);
        EXPECT_EQ(w->shape, (std::vector<int64_t>{2, 3}));
        EXPECT_EQ(w->strides, (std::vector<int64_t>{3, 1}));
    }
    EXPECT_EQ(find(model, "b")->as<PickleTensor>()->storage.key, "1");
}

std::string repeated(const std::string &text, size_t count) {
    std::string out;
    for (size_t i = 0; i < count; ++i) out += text;
    return out;
}

} // namespace

TEST(Pickle, ReadsWhatPythonWrites) {
    check_golden(test::from_hex(kProtocol2));
    check_golden(test::from_hex(kProtocol4));
}

TEST(Pickle, RefusesEveryPrefix) {
    for (const char *hex : {kProtocol2, kProtocol4}) {
        const std::string whole = test::from_hex(hex);
        for (size_t n = 0; n < whole.size(); ++n) refuses(whole.substr(0, n), "");
        refuses(whole + "x", "bytes follow its end");
    }
}

TEST(Pickle, SurvivesEveryChangedByte) {
    // Most changes are errors, some make another value; none may do worse (the sanitizers watch).
    for (auto [hex, step] : {std::pair{kProtocol2, 37}, std::pair{kProtocol4, 5}}) {
        const std::string whole = test::from_hex(hex);
        for (size_t at = 0; at < whole.size(); ++at) {
            for (int value = static_cast<int>(at) % step; value < 256; value += step) {
                std::string changed = whole;
                changed[at] = static_cast<char>(value);
                try {
                    parse(changed);
                } catch (const Error &) {
                }
            }
        }
    }
}

TEST(Pickle, RefusesForeignGlobals) {
    refuses_body(p::global("os", "system"), "global 'os.system' is not allowed");
    refuses_body(p::global("builtins", "eval") + "(" + p::text("1") + "tR",
                 "global 'builtins.eval' is not allowed");
    refuses_body(p::global("torch", "FloatStorage.__init__"), "is not allowed");
    refuses_body(p::global("torch._utils", "_rebuild_tensor_v3"),
                 "'torch._utils._rebuild_tensor_v3' is not allowed");
    refuses_body(p::text("posix") + p::text("system") + "\x93", "global 'posix.system' is not allowed");
    refuses_body(p::text("posix") + "N\x93", "global's name is not text");
    refuses_body("c" + std::string(10000, 'a') + "\n", "too long");
    refuses_body("cos\x1b[31m\nx\n", "'os\\x1b[31m.x' is not allowed");
}

TEST(Pickle, RefusesForeignOpcodes) {
    const std::string allowed = "NJKMGX()]}taesuqrhjcRQb.\x88\x89\x8a\x8c\x8d\x85\x86\x87\x94\x95\x93";
    for (int op = 0; op < 256; ++op) {
        if (allowed.find(static_cast<char>(op)) != std::string::npos) continue;
        char hex[8];
        std::snprintf(hex, sizeof hex, "0x%02x", op);
        refuses_body(std::string("N") + static_cast<char>(op),
                     std::string("opcode ") + hex + " is not allowed");
    }
    refuses("\x80\x01N.", "protocol 1 is not supported");
    refuses("\x80\x06N.", "protocol 6 is not supported");
    refuses("(dp0\n.", "protocol number");
}

TEST(Pickle, RefusesBadStacks) {
    refuses_body("", "unfinished");
    refuses_body("NN", "unfinished");
    refuses_body("N(", "unfinished");
    for (const char *body : {"a", "s", "R", "Q", "b", "\x85", "N\x86", "NN\x87", "\x93", "N(q\x01"})
        refuses_body(body, "empty stack");
    refuses_body("(\x94", "empty stack");
    for (const char *body : {"t", "e", "u"}) refuses_body(body, "not begun");
    refuses_body("N(NNR", "not callable");
    refuses_body("](Na", "empty stack"); // below is a mark: the list is out of reach
    refuses_body("NNa", "else than a list");
    refuses_body("NNNs", "else than a dict");
    refuses_body("}(Nu", "key without a value");
    refuses_body("h\x05", "recalls value 5");
    refuses_body("NNb", "attributes of something else");
    refuses_body(p::text("len") + ")R", "not callable");
}

TEST(Pickle, RefusesBadCalls) {
    const std::string storage = p::storage("FloatStorage", "0", 6),
                      rebuild = p::global("torch._utils", "_rebuild_tensor_v2");
    refuses_body(p::global("collections", "OrderedDict") + "]\x85R", "called with arguments");
    refuses_body(p::global("torch", "FloatStorage") + ")R", "storage type is called");
    refuses_body(rebuild + ")R", "takes 6 or 7 arguments");
    refuses_body(rebuild + "(NNNNNNtR", "else than a storage");
    refuses_body(p::tensor(storage, -1, {2, 3}, {3, 1}), "offset");
    refuses_body(p::tensor(storage, 0, {-2, 3}, {3, 1}), "integers >= 0");
    refuses_body(p::tensor(storage, 0, {2, 3}, {3, -1}), "integers >= 0");
    refuses_body(p::tensor(storage, 0, {2, 3}, {1}), "differ in length");
    refuses_body(p::tensor(storage, 0, std::vector<int32_t>(65, 1), {1}), "too many dimensions");
    refuses_body(p::global("torch._utils", "_rebuild_parameter") + "N\x88N\x87R", "not called on a tensor");
    refuses_body("NQ", "not a tuple of five");
    refuses_body(
        p::tuple({p::text("module"), p::global("torch", "FloatStorage"), p::text("0"), "N", "K\x01"}) + "Q",
        "does not describe a storage");
    refuses_body(p::tuple({p::text("storage"), p::ordered_dict(), p::text("0"), "N", "K\x01"}) + "Q",
                 "does not describe a storage");
    refuses_body(p::storage("FloatStorage", "0", -1), "does not describe a storage");
    refuses_body(p::storage("FloatStorage", std::string(257, 'k'), 1), "key of a storage is too long");
    refuses_body(p::storage("ComplexFloatStorage", "0", 1), "'torch.ComplexFloatStorage' is not allowed");
}

TEST(Pickle, HoldsItsLimits) {
    refuses_body("X" + le<uint32_t>(0xffffffff) + "abc", "cut short");
    refuses_body("\x8d" + le<uint64_t>(~0ull) + "abc", "cut short");
    refuses_body("\x95" + le<uint64_t>(~0ull) + "N", "cut short");
    refuses_body("\x8a\x09" + std::string(9, '\1'), "more than 64 bits");
    refuses_body(repeated("(", 1000), "open containers");
    refuses_body(repeated("]", 2000000), "stacks too many values");
    refuses_body("]" + repeated("Na", (4 << 20) + 1), "too many values");
    refuses_body(std::string((64 << 20) + 1, 'N'), "over the limit of 64 MiB");
}

TEST(Pickle, NestsAndLoopsWithoutRecursion) {
    parse(p::whole(repeated("]", 500000) + repeated("a", 499999)));
    Pickle loop = parse(p::whole(std::string("]q\0h\0a", 6))); // a list that holds itself
    EXPECT_EQ(loop.root->as<PickleList>()->items[0], loop.root);
}

TEST(Pickle, ReadsIntegersOfEveryLength) {
    auto value = [](const std::string &body) { return *parse(p::whole(body)).root->as<int64_t>(); };
    EXPECT_EQ(value(std::string("\x8a\0", 2)), 0);
    EXPECT_EQ(value("\x8a\x01\xff"), -1);
    EXPECT_EQ(value(std::string("\x8a\x02\xff\0", 4)), 255);
    EXPECT_EQ(value("\x8a\x08" + le<int64_t>(INT64_MIN)), INT64_MIN);
    EXPECT_EQ(value("M\xff\xff"), 65535);
    EXPECT_EQ(value("K\xff"), 255);
    EXPECT_EQ(value("J" + le<int32_t>(-70000)), -70000);
}

} // namespace ks::io
