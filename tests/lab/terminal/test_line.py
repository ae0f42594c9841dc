"""The parser of typed lines: words, quotes, pipes, and what it refuses."""

from __future__ import annotations

import shlex
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.lab.terminal.line import MOST_CHARACTERS, LineError, last_word, parse
from sandbox.lab.terminal.options import Option, UsageError, read, read_everyday


def words(line: str) -> list[list[str]]:
    return [[word.text for word in stage] for stage in parse(line)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", []),
        ("   # a remark", []),
        ("ping ct1", [["ping", "ct1"]]),
        ("findscu -k PatientName='O\\'", [["findscu", "-k", "PatientName=O\\"]]),
        ('-k "(0010,0010)=B C"', [["-k", "(0010,0010)=B C"]]),
        ('a "b \\" c" d\\ e', [["a", 'b " c', "d e"]]),
        ("cat x|grep 'a|b' | wc -l", [["cat", "x"], ["grep", "a|b"], ["wc", "-l"]]),
        ("grep ''", [["grep", ""]]),
        ('grep "a\\|b"', [["grep", "a\\|b"]]),
        ("echo $HOME", [["echo", "$HOME"]]),
    ],
)
def test_a_line_is_words(line: str, expected: list[list[str]]) -> None:
    assert words(line) == expected


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("echo 'open", "not closed"),
        ("cat x > y", "written"),
        ("a ; b", "One command"),
        ("a & b", "background"),
        ("a `b`", "substituted"),
        ("| grep x", "nothing before"),
        ("cat x |", "nothing after"),
        ("x" * (MOST_CHARACTERS + 1), "characters"),
        (" | ".join(["cat"] * 20), "too long"),
    ],
)
def test_what_a_shell_would_do_besides_is_refused(line: str, said: str) -> None:
    with pytest.raises(LineError, match=said):
        parse(line)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12), min_size=1, max_size=8))
@settings(max_examples=150, deadline=None)
def test_whatever_is_quoted_comes_back_as_it_was(given_words: list[str]) -> None:
    line = " ".join(shlex.quote(word) for word in given_words)
    assert words(line) == [given_words]


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_no_line_does_more_than_be_words_or_be_refused(line: str) -> None:
    start, typed = last_word(line)
    assert line[start:] == typed
    with suppress(LineError):
        assert all(stage for stage in parse(line))


def test_options_in_the_manner_of_dcmtk() -> None:
    options = (
        Option(("-aet", "--aetitle"), "", ("title",)),
        Option(("-v",), ""),
        Option(("+tls",), "", ("key", "cert")),
    )
    found = read(options, ["--aetitle", "CT1", "-v", "+tls", "k", "c", "host", "104"])
    assert found.value("-aet") == "CT1"
    assert "-v" in found
    assert found.given["+tls"] == (("k", "c"),)
    assert found.rest == ("host", "104")
    for wrong, said in ((["-zz"], "Unknown option -zz"), (["-aet"], "Missing value for option --aetitle")):
        with pytest.raises(UsageError, match=said):
            read(options, wrong)


def test_options_in_the_everyday_manner() -> None:
    options = (Option(("-v",), ""), Option(("-z",), ""), Option(("-n", "--lines"), "", ("number",)))
    found = read_everyday(options, ["-vz", "-n5", "a", "--", "-v"])
    assert (found.value("-n"), found.rest) == ("5", ("a", "-v"))
    assert {"-v", "-z"} <= set(found.given)
    assert read_everyday(options, ["-20"]).value("-n") == "20"
    assert read_everyday(options, ["--lines=3"]).number("-n", 0) == 3
    for wrong in (["-x"], ["-n"], ["--nothing"]):
        with pytest.raises(UsageError):
            read_everyday(options, wrong)
