# SPDX-License-Identifier: Apache-2.0
# Turns the King James text of Debian's bible-kjv packages into token files for train.py,
# and trains the byte-level BPE tokenizer of the shipped model on the training chapters.
#
#   apt-get install bible-kjv bible-kjv-text && pip install tokenizers
#   python3 models/prepare_corpus.py --out carry/train --model models/kjv-8x11m
import argparse
import array
import json
import pathlib
import re
import subprocess

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

BOOKS = """Genesis Exodus Leviticus Numbers Deuteronomy Joshua Judges Ruth 1_Samuel 2_Samuel 1_Kings 2_Kings
1_Chronicles 2_Chronicles Ezra Nehemiah Esther Job Psalms Proverbs Ecclesiastes Song_of_Solomon Isaiah Jeremiah
Lamentations Ezekiel Daniel Hosea Joel Amos Obadiah Jonah Micah Nahum Habakkuk Zephaniah Haggai Zechariah Malachi
Matthew Mark Luke John Acts Romans 1_Corinthians 2_Corinthians Galatians Ephesians Philippians Colossians
1_Thessalonians 2_Thessalonians 1_Timothy 2_Timothy Titus Philemon Hebrews James 1_Peter 2_Peter 1_John 2_John
3_John Jude Revelation""".split()

# Chapters are numbered 0..1188 in order; these residues are never trained on, nor seen by the BPE trainer.
SPLIT_PERIOD = 37
TEST_RESIDUE = 18
VALID_RESIDUE = 0
END_OF_TEXT = "<|endoftext|>"


def read_chapters():
    """All chapters in order: a heading line, an empty line, then one verse per line without numbers."""
    command = ["bible", "-f", "-l100000", "gen1:1-rev22:21"]
    printed = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout
    chapters, book, seen = [], -1, (None, None)
    for line in printed.splitlines():
        match = re.fullmatch(r"(\d?[A-Za-z]+)(\d+):(\d+) (.*)", line)
        if not match:
            raise SystemExit(f"bible: unexpected line: {line[:60]!r}")
        short, chapter, _, verse = match.groups()
        book += short != seen[0]
        if (short, chapter) != seen:
            chapters.append([f"{BOOKS[book]} {chapter}".replace("_", " "), ""])
            seen = (short, chapter)
        chapters[-1].append(verse.strip())
    if len(chapters) != 1189 or book != 65:
        raise SystemExit(f"bible: expected 66 books and 1189 chapters, got {book + 1} and {len(chapters)}")
    return ["\n".join(lines) + "\n" for lines in chapters]


def split_chapters(chapters):
    parts = {"train": [], "valid": [], "test": []}
    for index, text in enumerate(chapters):
        residue = index % SPLIT_PERIOD
        name = "test" if residue == TEST_RESIDUE else "valid" if residue == VALID_RESIDUE else "train"
        parts[name].append(text)
    return parts


def train_tokenizer(texts, vocab_size):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    if tokenizer.get_vocab_size() != vocab_size or tokenizer.token_to_id(END_OF_TEXT) != 0:
        raise SystemExit("tokenizer: unexpected vocabulary")
    return tokenizer


def write_tokens(path, tokenizer, texts):
    """uint16, little endian; every chapter is preceded by the end-of-text token."""
    ids = array.array("H")
    for encoding, text in zip(tokenizer.encode_batch(texts), texts):
        if tokenizer.decode(encoding.ids) != text:
            raise SystemExit(f"tokenizer: no round trip for {text[:40]!r}")
        ids.append(0)
        ids.extend(encoding.ids)
    path.write_bytes(ids.tobytes())
    return {"chapters": len(texts), "bytes": sum(len(t.encode()) for t in texts), "tokens": len(ids) - len(texts)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for the token files")
    parser.add_argument("--model", type=pathlib.Path, required=True, help="folder that receives tokenizer.json")
    parser.add_argument("--vocab", type=int, default=2048)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    args.model.mkdir(parents=True, exist_ok=True)
    parts = split_chapters(read_chapters())
    tokenizer = train_tokenizer(parts["train"], args.vocab)
    tokenizer.save(str(args.model / "tokenizer.json"), pretty=False)
    meta = {name: write_tokens(args.out / f"{name}.bin", tokenizer, texts) for name, texts in parts.items()}
    (args.out / "test.txt").write_text(END_OF_TEXT.join(parts["test"]))
    (args.out / "meta.json").write_text(json.dumps(meta, indent=1) + "\n")
    print(json.dumps(meta))


if __name__ == "__main__":
    main()
