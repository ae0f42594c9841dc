"""Every string that a person reads in the console can be translated, and every language is complete.

Templates and Python are read, not run: text outside ``_()`` in a template, or a bare sentence in a message, is found
wherever it stands. Words that are the same in every language are listed here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import Environment

from tests.web.conftest import Visitor
from web import translating
from web.i18n import LANGUAGES

WEB = Path(translating.__file__).parent
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
MODULES = sorted(path for path in WEB.rglob("*.py") if "migrations" not in path.parts)
SPOKEN = frozenset(
    {
        "title",
        "aria-label",
        "placeholder",
        "alt",
        "aria-roledescription",
        "aria-description",
        "data-busy",
        "data-confirm",
    }
)
SILENT = frozenset({"script", "style", "code", "pre", "kbd", "samp", "svg"})
TELLING = frozenset(
    {"flash", "BadInputError", "NotFoundError", "ConflictError", "UnavailableError", "Look", "Place", "Response"}
)
SAME_EVERYWHERE = re.compile(
    r"PACS Sandbox|C-(ECHO|FIND|MOVE|GET|STORE)|N-[A-Z-]+|DICOM(web)?|Wireshark|Orthanc|dcmtk|dcm4che|3D Slicer"
    r"|\b(AE|UID|VLAN|DNS|TLS|PDU|PDV|JSON|PDF|Markdown|STAT|STUDY|SERIES|IMAGE|PATIENT|VR|HU|CIIP|CDIP|PARCA|ABII|Seed)\b"
    r"|PS3\.\d+|\.pcap|W/L|\b(ms|s|min|h|d|kB|MB|GB|mm|x)\b|&[a-z]+;"
)
LETTERS = re.compile(r"[A-Za-zÀ-ž]{2,}")
SENTENCE = re.compile(r"[A-Z][a-z]")
"""How a string that is given to a macro begins when it is meant for people, and no name of a class or a file."""
MARKS = (("_", "("), ("gettext", "("), ("ngettext", "("))
HOLE = "\x00"


class _Words(HTMLParser):
    """The words of a page and where they stand; what Jinja puts in is a hole."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in SPOKEN and value and _says_something(value)]
        if tag in SILENT:
            self._silent.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._silent:
            self._silent.remove(tag)

    def handle_data(self, data: str) -> None:
        if not self._silent and _says_something(data):
            self.found.append(" ".join(data.replace(HOLE, "…").split()))


def _says_something(text: str) -> bool:
    return bool(LETTERS.search(SAME_EVERYWHERE.sub("", text)))


def unmarked(source: str) -> list[str]:
    """What a template says outside ``_()``: its own text, and sentences that are given to macros as they are."""
    parser, given = _Words(), []
    before: tuple[str, ...] = ()
    plural = first_of_two = False
    for _line, kind, value in Environment(autoescape=True).lex(source):
        if kind == "data":
            parser.feed(value)
        elif kind == "variable_begin":
            parser.feed(HOLE)
        elif (
            kind == "string"
            and before not in MARKS
            and not plural
            and SENTENCE.match(value[1:-1])
            and _says_something(value)
        ):
            given.append(value)
        if kind not in ("whitespace", "data"):
            # The second string of ngettext follows the first and a comma.
            plural = value == "," and kind == "operator" and first_of_two
            first_of_two = kind == "string" and before == MARKS[2]
            before = (*before, value)[-2:]
    parser.close()
    return [*parser.found, *given]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(WEB / "templates")))
def test_every_text_of_a_template_is_marked(path: Path) -> None:
    assert unmarked(path.read_text()) == []


def test_an_unmarked_text_is_found() -> None:
    assert unmarked('<p title="Go on">{{ _("Marked") }} and not</p>') == ["Go on", "and not"]
    assert unmarked('{{ act("/there", "Reset all", "btn btn-primary") }}') == ['"Reset all"']
    assert unmarked("<p>{{ count }} MB, <code>echoscu</code></p>") == []


def bare_sentences(source: str) -> Iterator[str]:
    """What Python says to people without ``_()``: literal arguments of flash, of errors and of looks."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name not in TELLING:
            continue
        for argument in node.args:
            is_literal = isinstance(argument, ast.JoinedStr | ast.Constant)
            text = ast.unparse(argument)
            if is_literal and " " in text.strip("'\"f") and _says_something(text):
                yield f"line {argument.lineno}: {text}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(WEB)))
def test_every_sentence_of_python_is_marked(path: Path) -> None:
    assert list(bare_sentences(path.read_text())) == []


def test_a_bare_sentence_is_found() -> None:
    assert len(list(bare_sentences('flash("It is done.", "good")\nflash(_("It is done."), "good")'))) == 1


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
class TestLanguage:
    def test_every_string_is_translated(self, language: str) -> None:
        assert translating.missing(translating.updated(language)) == [], "run make translations, then translate"

    def test_the_catalogue_is_of_today_and_compiled(self, language: str) -> None:
        path = translating.source(language)
        assert path.read_bytes() == translating.written(translating.updated(language)), "run make translations"
        assert path.with_suffix(".mo").read_bytes() == translating.compiled(translating.read(language))

    def test_what_is_put_into_a_sentence_stays_in_it(self, language: str) -> None:
        for message in translating.read(language):
            if not message.id:
                continue
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            strings = message.string if isinstance(message.string, tuple) else (message.string,)
            wanted = {hole for text in ids for hole in re.findall(r"%\(\w+\)s", text)}
            for text in strings:
                assert set(re.findall(r"%\(\w+\)s", text)) <= wanted, message.id
            assert wanted <= {hole for text in strings for hole in re.findall(r"%\(\w+\)s", text)}, message.id


def test_the_language_is_what_the_browser_asks_for_until_somebody_chooses(visitor: Visitor) -> None:
    german = {"Accept-Language": "de-CH,de;q=0.9,en;q=0.5"}
    assert '<html lang="de"' in visitor.client.get("/", headers=german).text
    assert '<html lang="en"' in visitor.client.get("/", headers={"Accept-Language": "fr"}).text
    visitor.post("/language", {"language": "de", "next": "/"})
    assert '<html lang="de"' in visitor.client.get("/", headers={"Accept-Language": "en"}).text


def test_a_language_that_is_not_there_and_an_address_elsewhere_change_nothing(visitor: Visitor) -> None:
    answer = visitor.post("/language", {"language": "xx", "next": "https://elsewhere.example/"})
    assert answer.headers["Location"] == "/"
    assert '<html lang="en"' in visitor.get("/").text
