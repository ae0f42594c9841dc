"""A typed line into words: quotes and backslashes as a shell has them, pipes between commands, and nothing else.

Whatever a shell would do besides (redirect, substitute, run in the background, chain) is refused with a sentence, since
this terminal does not do it. Rule: a line is only ever words; no part of it is executed by anything but our own
commands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

MOST_CHARACTERS = 2_000
MOST_WORDS = 200
MOST_STAGES = 8

_REFUSED = {
    ">": "Output cannot be written to a file here.",
    "<": "Input cannot come from a file here.",
    ";": "One command at a time, please: ; is not taken here.",
    "&": "Nothing runs in the background here: & is not taken.",
    "`": "Nothing is substituted here: ` is not taken.",
}


class LineError(Exception):
    """A line that is no command. Its text is a sentence for the person who typed it."""


@dataclass(frozen=True)
class Word:
    """One word. ``has_pattern`` says that a * or ? or [ stood in it outside quotes, so that file names may match."""

    text: str
    has_pattern: bool = False


@dataclass
class _Reading:
    """A word that is being read."""

    text: str = ""
    began: bool = False
    has_pattern: bool = False

    def add(self, letter: str, *, plain: bool = False) -> None:
        self.text += letter
        self.began = True
        self.has_pattern |= plain and letter in "*?["


def parse(line: str) -> tuple[tuple[Word, ...], ...]:
    """The commands of a line, from the first to the last of its pipe. Empty for a line without words."""
    if len(line) > MOST_CHARACTERS:
        raise LineError(f"The line has {len(line)} characters; at most {MOST_CHARACTERS} are taken.")
    stages: list[list[Word]] = [[]]
    word = _Reading()
    letters = iter(line)
    for letter in letters:
        if letter in "'\"":
            word.began = True
            _quoted(letters, letter, word)
        elif letter == "\\":
            word.add(next(letters, "\\"))
        elif letter == "|":
            word = _end(stages[-1], word)
            if not stages[-1]:
                raise LineError("There is nothing before the | of the pipe.")
            stages.append([])
        elif letter in _REFUSED:
            raise LineError(f"{_REFUSED[letter]} Put it in quotes if it belongs to a value.")
        elif letter == "#" and not word.began:
            break
        elif letter.isspace():
            word = _end(stages[-1], word)
        else:
            word.add(letter, plain=True)
    _end(stages[-1], word)
    if len(stages) > 1 and not stages[-1]:
        raise LineError("There is nothing after the | of the pipe.")
    if len(stages) > MOST_STAGES or sum(map(len, stages)) > MOST_WORDS:
        raise LineError(f"That is too long a line: at most {MOST_WORDS} words and {MOST_STAGES} commands.")
    return tuple(tuple(stage) for stage in stages if stage)


def last_word(line: str) -> tuple[int, str]:
    """Where the word begins that is being typed at the end of ``line``, and what there is of it. Quotes count as part
    of it, so that a path with spaces is not cut in two."""
    quote, start, escaped = "", 0, False
    for position, letter in enumerate(line):
        if escaped:
            escaped = False
        elif letter == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter.isspace() or letter == "|":
            start = position + 1
    return start, line[start:]


def _quoted(letters: Iterator[str], quote: str, word: _Reading) -> None:
    """Read up to the closing ``quote``. Within double quotes a backslash takes the next letter as it is."""
    for letter in letters:
        if letter == quote:
            return
        if letter == "\\" and quote == '"':
            following = next(letters, "")
            word.add(following if following in '"\\' else f"\\{following}")
        else:
            word.add(letter)
    raise LineError(f"The quote {quote} is not closed.")


def _end(stage: list[Word], word: _Reading) -> _Reading:
    if word.began:
        stage.append(Word(word.text, word.has_pattern))
    return _Reading()
