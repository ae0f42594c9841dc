"""Options of the terminal's commands: a table for each command, read in the manner of dcmtk or of everyday tools.

dcmtk's options begin with - or + and are whole words ("-aet", "+tla", "--call"); everyday ones may be put together
("-vz") or carry their value ("-n5"). What is not in the table is refused, and said to be known where dcmtk has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Option:
    """``names`` as they are typed, the first being the key under which it is found; ``values`` what it takes, by name
    (empty: it is a switch)."""

    names: tuple[str, ...]
    help: str
    values: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return self.names[0]

    @property
    def usage(self) -> str:
        """ "-c, --count NUMBER"."""
        return " ".join([", ".join(self.names), *(value.upper() for value in self.values)])


class UsageError(Exception):
    """The options or parameters make no sense; the text is what the command says about it."""


@dataclass(frozen=True)
class Arguments:
    """What was given: parameters in their order, and options by key, each time it was given."""

    rest: tuple[str, ...] = ()
    given: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)

    def __contains__(self, key: str) -> bool:
        return key in self.given

    def value(self, key: str, default: str = "") -> str:
        """The last value given for an option of one value."""
        return self.given[key][-1][0] if key in self.given else default

    def values(self, key: str) -> tuple[str, ...]:
        """All that were given, in their order."""
        return tuple(values[0] for values in self.given.get(key, ()))

    def number(self, key: str, default: int, low: int = 0, high: int = 1_000_000) -> int:
        """A whole number within bounds, or UsageError."""
        if key not in self.given:
            return default
        text = self.value(key)
        if not _is_whole(text) or not low <= int(text) <= high:
            raise UsageError(f"Invalid value for option {key} ({text})")
        return int(text)


def _is_whole(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) <= 9


def read(options: Sequence[Option], words: Sequence[str]) -> Arguments:
    """dcmtk's manner: an option is a whole word. Raises UsageError with the words that dcmtk uses."""
    known = {name: option for option in options for name in option.names}
    rest: list[str] = []
    given: dict[str, list[tuple[str, ...]]] = {}
    pending = iter(words)
    for word in pending:
        if len(word) < 2 or word[0] not in "-+" or word[1:2].isdigit():
            rest.append(word)
            continue
        option = known.get(word)
        if option is None:
            raise UsageError(f"Unknown option {word[:80]}")
        values = tuple(value for _, value in zip(option.values, pending, strict=False))
        if len(values) < len(option.values):
            raise UsageError(f"Missing value for option {option.names[-1]}")
        given.setdefault(option.key, []).append(values)
    return Arguments(tuple(rest), {key: tuple(values) for key, values in given.items()})


def read_everyday(options: Sequence[Option], words: Sequence[str]) -> Arguments:
    """The manner of everyday tools: letters may be put together, a value may follow at once, ``--`` ends the options,
    and a word like ``-5`` is the option ``-n`` with that value where there is one."""
    known = {name: option for option in options for name in option.names}
    rest: list[str] = []
    given: dict[str, list[tuple[str, ...]]] = {}
    pending = iter(words)
    for word in pending:
        if word == "--":
            rest += pending
            break
        if len(word) < 2 or word[0] != "-":
            rest.append(word)
            continue
        for option, attached in _letters(word, known):
            values: tuple[str, ...] = (attached,) if attached else ()
            missing = len(option.values) - len(values)
            values += tuple(value for _, value in zip(range(missing), pending, strict=False))
            if len(values) < len(option.values):
                raise UsageError(f"option {option.key} needs a value: {option.usage}")
            given.setdefault(option.key, []).append(values)
    return Arguments(tuple(rest), {key: tuple(values) for key, values in given.items()})


def _letters(word: str, known: Mapping[str, Option]) -> Iterator[tuple[Option, str]]:
    """The options that one word stands for, with a value that is written against the last."""
    name, has_value, value = word.partition("=")
    if word in known or (has_value and name in known and known[name].values):
        yield known[name], value if has_value else ""
        return
    if word[1:].isdigit() and "-n" in known:
        yield known["-n"], word[1:]
        return
    if not word.startswith("--"):
        letters = word[1:]
        while letters:
            option = known.get(f"-{letters[0]}")
            if option is None:
                break
            letters = letters[1:]
            if option.values:
                yield option, letters
                return
            yield option, ""
        if not letters:
            return
    raise UsageError(f"unknown option {word[:80]}")
