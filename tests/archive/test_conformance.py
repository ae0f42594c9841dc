"""The conformance statement: no status is forgotten, what it says is what the server does, and it is current."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.archive import archive, commitment, commitment_service, identifier, query, retrieve
from sandbox.archive.attributes import ATTRIBUTES
from sandbox.archive.conformance.statement import statement
from sandbox.archive.conformance.tables import FAILURE_REASONS, REJECTIONS, RULE_WORDS, STATUSES
from sandbox.archive.matching import Rule
from sandbox.archive.serve import Remote, ServeOptions
from sandbox.dicom import dispatch, negotiation, scp, storing, syntaxes
from sandbox.dicom import retrieve as dicom_retrieve
from sandbox.dicomweb.conformance import TRANSACTIONS, routes, web_section
from sandbox.dicomweb.options import WebOptions
from sandbox.model.association import Rejection

DOCUMENT = Path(__file__).parents[2] / "docs" / "conformance-statement.md"
_SENDERS = (archive, commitment_service, identifier, query, retrieve, dispatch, scp, storing, dicom_retrieve)
# Numbers that are no status: what they count is in their names.
_NO_STATUSES = (
    "LENGTH",
    "LOCKS",
    "LOADED",
    "TIME",
    "TAG",
    "AVAILABILITY",
    "TITLE",
    "CHARACTER",
    "LEVEL",
    "FIELD",
    "ONE_BY",
)


def options(**changed: object) -> ServeOptions:
    return ServeOptions.model_validate({"ae_title": "PACS", "directory": Path(), "port": 104, **changed})


@pytest.mark.parametrize("module", _SENDERS, ids=lambda module: module.__name__)
def test_every_status_of_the_code_is_in_the_statement(module: object) -> None:
    listed = {line.status for line in STATUSES} | {reason for reason, _ in FAILURE_REASONS}
    for name, value in vars(module).items():
        is_status = isinstance(value, int) and 0 <= value <= 0xFFFF and name.lstrip("_").isupper()
        if is_status and not any(word in name for word in _NO_STATUSES) and name not in vars_of_messages():
            assert value in listed, f"{name} = {value:04X}"


def vars_of_messages() -> set[str]:
    from sandbox.dicom import messages

    return set(vars(messages))


def test_every_failure_reason_and_rejection_is_in_the_statement() -> None:
    reasons = {value for name, value in vars(commitment).items() if name.isupper() and isinstance(value, int)}
    assert {reason for reason, _ in FAILURE_REASONS} == reasons - {
        commitment.REQUEST,
        commitment.ALL_COMMITTED,
        commitment.SOME_FAILED,
    }
    known = {value for value in vars(negotiation).values() if isinstance(value, Rejection)}
    assert {numbers for numbers, _ in REJECTIONS} == known


def test_no_status_is_listed_twice_and_every_rule_has_words() -> None:
    pairs = [(line.service, line.status) for line in STATUSES]
    assert len(pairs) == len(set(pairs))
    assert set(RULE_WORDS) == set(Rule)


def test_it_holds_every_key_class_and_syntax() -> None:
    text = statement(options())
    for attribute in ATTRIBUTES:
        assert f"| {attribute.keyword} |" in text
    for uid in (*syntaxes.STORAGE_CLASSES, *syntaxes.ALL_TRANSFER_SYNTAXES):
        assert f"`{uid}`" in text


def test_it_follows_the_configuration() -> None:
    plain = statement(options())
    assert "DICOMweb is not served" in plain
    remote = Remote.parse("WS1=tls://ws1.example:2762")
    text = statement(options(remotes=(remote,), strict_calling=True, tls_port=2762, client_certificates="required"))
    for words in ("AE title PACS", "only these: WS1", "port 2762 over TLS", "| WS1 | ws1.example | 2762 | yes |"):
        assert words in text
        assert words == "AE title PACS" or words not in plain
    assert "client certificates are required" in text


def test_every_route_of_dicomweb_is_listed_and_every_transaction_has_one() -> None:
    listed = routes(WebOptions(prefix="/pacs"))
    assert {name for name, *_ in listed} == {name for name, _ in TRANSACTIONS.values()}
    assert all(path.startswith("`/pacs/") for _, _, path, _ in listed)
    assert "A bearer token is needed" in web_section(WebOptions(token="secret"))


def test_the_committed_statement_is_current() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sandbox.cli", "archive", "conformance", "--check", "--out", str(DOCUMENT)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_a_stale_statement_is_noticed(tmp_path: Path) -> None:
    stale = tmp_path / "statement.md"
    stale.write_text(DOCUMENT.read_text(encoding="utf-8").replace("A900", "A901"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "sandbox.cli", "archive", "conformance", "--check", "--out", str(stale)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, "out of date" in done.stderr) == (1, True)
