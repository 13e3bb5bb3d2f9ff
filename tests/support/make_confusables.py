"""Writes `chatter/accounts/confusables.py`: which letters look like others, by Unicode's technical standard 39.

`python -m tests.support.make_confusables FILE`, where FILE is `confusables.json` of the package confusable-homoglyphs,
which has Unicode's table. Only what can be left after `chatter.accounts.names` has normalised a name is written.
"""

import json
import sys
import unicodedata
from pathlib import Path

from chatter.accounts.names import bare
from tests.support.server import ROOT

OUTPUT = ROOT / "chatter/accounts/confusables.py"
WIDTH = 110

# In many fonts a large i is a small l, and names are compared without regard to case.
BY_HAND = {"i": "l"}

HEAD = '''"""Which letters look like others: each line has what they are taken for, then the letters.

From Unicode's technical standard 39 (https://www.unicode.org/license.txt), without what compatibility forms and case
folding make equal. Written by `python -m tests.support.make_confusables`.
"""

TABLE = """
{table}
"""
'''


def prototypes(pairs: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    """Returns for each letter in small what it is taken for. What is ASCII wins, then what is said of the letter."""
    found: dict[str, list[tuple[bool, bool, str]]] = {}
    for source, targets in pairs.items():
        plain = source.strip("\u200e")
        letter, target = unicodedata.normalize("NFKD", plain).casefold(), bare(targets[0]["c"])
        if len(targets) != 1 or len(letter) != 1 or letter != bare(plain) or (letter.isascii() and source != letter):
            continue  # a prototype; several signs; dropped, or with an accent that is
        if target and target != letter:
            found.setdefault(letter, []).append((not target.isascii(), plain != letter, target))
    return {letter: min(candidates)[2] for letter, candidates in found.items()} | BY_HAND


def resolved(first: dict[str, str]) -> dict[str, str]:
    """Follows each letter to the end of its chain."""
    return {letter: _end(letter, first) for letter in first if _end(letter, first) != letter}


def capitals(pairs: dict[str, list[dict[str, str]]], table: dict[str, str]) -> dict[str, str]:
    """Returns the capitals that are taken for something else than their small letters: a Greek Ν is an N, a ν a v."""
    found = {}
    for source, targets in pairs.items():
        small = unicodedata.normalize("NFKD", source).casefold()
        if len(targets) == len(source) == 1 and not source.isascii() and small != source and len(small) == 1:
            target = "".join(table.get(letter, letter) for letter in bare(targets[0]["c"]))
            if target.isascii() and target and unicodedata.normalize("NFKD", source) == source:
                found[source] = target
    return {source: target for source, target in found.items() if table.get(source.casefold()) != target}


def _end(letter: str, first: dict[str, str]) -> str:
    """Returns what a letter is taken for in the end; of a circle the smallest member."""
    text, seen = letter, [letter]
    while (after := first.get(text)) is not None and after not in seen:
        seen.append(after)
        text = after
    if after is not None:
        return min(seen[seen.index(after) :])
    return "".join(_end(part, first) if part not in seen else part for part in text) if len(text) > 1 else text


def lines(table: dict[str, str]) -> list[str]:
    """Returns the table as lines: what they are taken for, a blank, the letters."""
    groups: dict[str, list[str]] = {}
    for letter, target in sorted(table.items()):
        groups.setdefault(target, []).append(letter)
    return [f"{target} {''.join(letters)}" for target, letters in sorted(groups.items())]


def main() -> None:
    """Writes the module."""
    pairs = json.loads(Path(sys.argv[1]).read_text())
    table = resolved(prototypes(pairs))
    text = "\n".join(
        f"{line[start : start + WIDTH]}" if start == 0 else f"{line.split(' ')[0]} {line[start : start + WIDTH]}"
        for line in lines(table | capitals(pairs, table))
        for start in range(0, len(line), WIDTH)
    )
    OUTPUT.write_text(HEAD.format(table=text))


if __name__ == "__main__":
    main()
