# SPDX-License-Identifier: Apache-2.0
# Makes the test data of this folder with Hugging Face's `tokenizers` (pip install tokenizers; 0.23.3 was used):
# two small tokenizers, the cases, and the ids that `tokenizers` gives for them. Run it in the repository root:
#   python tests/runtime/text/data/make_golden.py [tokenizer.json of EleutherAI/gpt-neox-20b]
import json
import pathlib
import sys
import tempfile

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).resolve().parent
CORPUS = (HERE.parents[3] / "LICENSE").read_text().splitlines(keepends=True) + [
    "def scan(x, delta):\n    for i in range(len(x)):\n        h = h * a[i] + x[i]\n    return h\n" * 4,
    "I'm sure you've seen that they're here; we'll see it's what he'd said, isn't it?\n" * 4,
    "La naïveté d'un élève français à Zürich: où est l'œuvre? Ça coûte 12,50 €.\n" * 4,
    "Съешь ещё этих мягких французских булок, да выпей чаю.\n" * 4,
    "日本語の文章と漢字。 中文的句子和標點。 한국어 문장입니다.\n" * 4,
    "نص عربي قصير और हिन्दी का एक वाक्य 🙂🙂 👍\n" * 4,
]

# Text, or bytes where the text is not valid UTF-8.
CASES = [
    "", " ", "  ", "   ", "\n", "\n\n", "\t", "\t\t x", " \n ", " \n\n  \n\ta", "a ", "a  ", " a", "  a", "   a",
    "hello", " hello", "Hello, World!", "hello  world", "hello   world\n", "The quick brown fox jumps over the lazy dog.",
    "I'm you're we've he'd she'll it's don't", "I'M YOU'RE 'S 's''s 't't 'll'l", "’s ’t", "'", "''", " '", " 's",
    "'reap 'very 'model 'dog 'llama", "0", "007", " 12345678901234567890", "3.14159e-10", "1,000,000.00", "x1y2z3",
    "½ ¼ Ⅷ ⅻ ² ³ ①②③ ٠١٢ ०१२ 〇一二 𝟘𝟙", "a1b22c333", "!@#$%^&*()_+-=[]{}|;:,.<>/?`~\\\"", " !!! ??? ...", "----====____",
    "a\tb\tc", "a \tb", "a\t b", "line\r\nline\r\n\r\n", "a\u00a0b", "a\u00a0\u00a0b", "\u2003\u2003x", "\u3000字", "a\u0085b",
    "a\u1680b\u2000c\u2028d\u2029e\u202ff\u205fg", "\u180ex \u180e y", "\u200b\u200c\u200d\u2060\ufeff", "\ufeffBOM",
    "\x00", "a\x00b\x00", "\x01\x02\x03\x04\x05\x06\x07\x08", "\x0b\x0c\x0e\x0f\x1b[31mred\x1b[0m\x7f", "\x1c\x1d\x1e\x1f",
    "\x80\x81\x9f", "\xad soft\xadhyphen",
    "é", "e\u0301", "é e\u0301", "Å \u212b A\u030a", "ﬁ ﬀ ﬃ", "ñ n\u0303", "a\u0323\u0307 a\u0307\u0323 ạ̇",
    "\u1e9b\u0323 \u017f\u0323\u0307", "q\u0307\u0323", "\u0301", "\u0301\u0301\u0301 x\u0301", " \u0308a", "\u0340\u0341\u0343\u0344\u0374\u037e\u0387",
    "\u0958\u095f \u09dc \u0a33", "\u0b47\u0b3e \u0cc6\u0cc2\u0cd5 \u1025\u102e", "\u2126\u212a\u2329\u232a", "\u2adc \u0f43 \ufb1d\ufb2a",
    "\U0001d15e\U0001d1bb", "\U0002f800\U0002fa1d 豈更車", "\u1100\u1161\u11a8", "\u1112\u1161\u11ab\u1100\u116e\u11a8",
    "\uac00\u11a8 \u1100\uac00 \u1161\u11a8", "한국어 한글", "\u3131\u314f\u3134", "が か\u3099 \u309b\u309c ﾊﾟ", "ㄱㄴㄷ",
    "中文字符測試", "日本語のテキスト、カタカナ。", "Привет, мир!", "Γειά σου Κόσμε", "שלום עולם", "مرحبا بالعالم",
    "สวัสดีชาวโลก", "नमस्ते दुनिया", "வணக்கம் உலகம்", "မင်္ဂလာပါ", "ជំរាបសួរ", "ሰላም ለዓለም", "ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ",
    "🙂", "🙂🙂🙂", "👍🏽 👩‍👩‍👧‍👦 🏳️‍🌈", "🇩🇪🇫🇷", "a🙂b 🙂c", "☃ ☺️ ✈︎", "𝒜𝓑𝕮 𝔘𝔫𝔦", "ℵ₀ ∑∫√∞ ≠ ≤", "→←↑↓ ⇒ ▀▄█",
    "𐍈𐎀𐏈 𒀀𓀀", "\U00010ffff", "\ue000\uf8ff\U000f0000\U0010fffd", "\ufffe\uffff\ufdd0\U0001ffff", "\ufffd\ufffd", "\u0378\u0379\u2fe0",
    "ǅ ʰ ª º ˇ ¨ ˈ", "\u20dd\u20e3 1\u20e3", "‿⁀ ‐‑‒–— «»‹› ¡¿ §", "$€£¥₿ +±×÷ ^`¨ ¦©®°", "a_b-c.d", "x² + y³",
    "<|endoftext|>", "a<|endoftext|>b", " <|endoftext|> ", "<|endoftext|><|endoftext|>", "<|endoftext", "|endoftext|>",
    "<|ENDOFTEXT|>", "<|padding|>", "<<|endoftext|>>", "e\u0301<|endoftext|>\u0301", "<|endoftext|>\u0301e", "<|endoftext|>\n\n<|padding|>  a",
    "|||EMAIL|||", "x|||EMAIL|||y|||", "||||EMAIL||||", "cafe\u0301x café", "cafe\u0301 café!", "longestlonger longer longest longe",
    "    def f(x):\n        return x  # note\n\n\n    y = 2\n", "if (a && b) {\n\tfoo(&bar->baz[0]);\n}\n", "#include <stdio.h>\nint main(void){return 0;}",
    "SELECT * FROM t WHERE a='b' AND c<>\"d\";", "https://example.org/a?b=c&d=%20e#f", "<div class=\"x\">&nbsp;</div>", "\\begin{equation}\\alpha_{1}^{2}\\end{equation}",
    *[" " * n + "x" for n in (4, 8, 15, 16, 23, 24, 25, 26, 47, 48, 49, 50, 97)], " " * 60, "\n" * 30, "\t" * 17, "a" + " " * 30 + "b" + " " * 31,
    "\u00a0" * 9 + "  x", " \u00a0 \u2009 x", "a" * 300, "ab" * 200, "supercalifragilisticexpialidocious" * 9, "é" * 150, "e\u0301" * 150, "漢" * 200, "🙂" * 90,
    "0" * 200, "!" * 200, "xX" * 70 + " " + "Yy" * 70, "CamelCaseIdentifier snake_case_identifier SCREAMING_CASE", "aaaa bbbb aaaa bbbb aaaa",
    "The licence, the License; THE LICENSE. Licensor licensor's Licensors'", "Redistribution and use in source and binary forms",
    b"\xff", b"a\xffb", b"\xfe\xfe\xff\xff", b"\xc0\x80", b"\xc1\xbf", b"\xe0\x80\x80", b"\xe0\x9f\xbf x", b"\xf0\x80\x80\x80", b"\xf0\x8f\xbf\xbf",
    b"\xed\xa0\x80", b"\xed\xbf\xbf\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\x80", b"\xbf\x80\xbf", b"abc\xe2\x82", b"\xe2\x82 abc",
    b"\xf0\x9f\x99", b"\xf0\x9f\x99\xf0\x9f\x99\x82", b"\xe2\x28\xa1", b"\xe2\x82\x28", b"\xf0\x28\x8c\xbc", b"\xf0\x90\x28\xbc", b"\xf8\x88\x80\x80\x80",
    b"e\xcc", b"e\xcc\x81\xcc", b" \xc3(\xc3\xa9", b"<|endoftext|>\xff<|endoftext|>", b"\xef\xbf", b"\xef\xbf\xbd\xef",
]


def text_of(case):
    return case if isinstance(case, str) else case.decode("utf-8", errors="replace")


def train(vocab_size, special, added, normalizer):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    tokenizer.decoder = decoders.ByteLevel()
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=special, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.add_tokens(added)
    return tokenizer


# The variants of a tokenizer.json that the tests make in the same way.
def prefix_space(config):
    config["pre_tokenizer"]["add_prefix_space"] = True


def no_regex(config):
    config["pre_tokenizer"]["use_regex"] = False


def ignore_merges(config):
    config["model"]["ignore_merges"] = True
    config["model"]["merges"] = config["model"]["merges"][:100]


def split_first(config):
    level = dict(config["pre_tokenizer"], use_regex=False)
    regex = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
    split = {"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": False}
    config["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [split, level]}


def write_golden(name, tokenizer):
    ids = [tokenizer.encode(text_of(c), add_special_tokens=False).ids for c in CASES]
    texts = [tokenizer.decode(i, skip_special_tokens=False) for i in ids]
    lines = [json.dumps({"ids": i, "decoded": d}, separators=(",", ":")) for i, d in zip(ids, texts)]
    (HERE / f"{name}.golden.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")


def write_variant(name, config, change):
    config = json.loads(json.dumps(config))
    change(config)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(config, file)
        file.flush()
        write_golden(f"{name}_{change.__name__}", Tokenizer.from_file(file.name))


def write_tokenizer(name, tokenizer):
    config = json.loads(tokenizer.to_str())
    (HERE / f"{name}.tokenizer.json").write_text(json.dumps(config, separators=(",", ":")) + "\n")
    write_golden(name, tokenizer)
    return config


def main():
    cases = [{"text": c} if isinstance(c, str) else {"hex": c.hex()} for c in CASES]
    (HERE / "cases.json").write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
    gpt2 = write_tokenizer("gpt2_style", train(600, ["<|endoftext|>"], [], None))
    for change in (prefix_space, no_regex, ignore_merges, split_first):
        write_variant("gpt2_style", gpt2, change)
    spaces = [AddedToken(" " * n, normalized=True) for n in range(24, 1, -1)]
    words = [AddedToken("|||EMAIL|||", normalized=False), AddedToken("cafe\u0301", normalized=True),
             AddedToken("longer", normalized=False), AddedToken("longest", normalized=True), AddedToken("longestl", normalized=True)]
    neox = write_tokenizer("neox_style", train(400, ["<|endoftext|>", "<|padding|>"], spaces + words, normalizers.NFC()))
    write_variant("neox_style", neox, prefix_space)
    if len(sys.argv) > 1:
        write_golden("gpt_neox_20b", Tokenizer.from_file(sys.argv[1]))


main()
