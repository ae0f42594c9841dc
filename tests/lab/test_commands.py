"""Every command: described, tried here on a real lab, and in the reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.archive.accidents import lock_index, rows_in
from sandbox.archive.archive import Archive
from sandbox.archive.index.changes import drop_rows
from sandbox.archive.trouble import Job
from sandbox.archive.volumes import unmount
from sandbox.events import kinds
from sandbox.lab.commands.registry import commands, parse
from sandbox.lab.lab import Lab
from sandbox.model.errors import BadInputError, ConflictError, NotFoundError, SandboxError
from tests.lab.support import do, wait_for

REFERENCE = Path(__file__).parent.parent.parent / "docs" / "reference" / "commands.md"
RULE = {"source": "reading", "target": "emergency", "port": 104, "action": "allow"}


def prior(lab: Lab) -> str:
    """A study that the archive has had from the start."""
    store = lab.department.node("ARCHIVE").store
    assert store is not None
    return store.studies(limit=50)[-1].study_uid


def scanned(lab: Lab) -> str:
    """A new study on CT1, delivered."""
    result = do(lab, "exam.acquire", node="CT1", images=1)
    study = next(fact for fact in result.facts if fact.startswith("Study")).partition(": ")[2]
    wait_for(
        lab,
        lambda e: isinstance(e.body, kinds.InstanceStored) and e.node == "ARCHIVE" and e.body.study_uid == study,
        after=result.event,
    )
    return study


def shown(lab: Lab) -> str:
    """A new study that has come to WS1."""
    result = do(lab, "exam.acquire", node="CT1", images=1)
    study = next(fact for fact in result.facts if fact.startswith("Study")).partition(": ")[2]
    wait_for(
        lab,
        lambda e: isinstance(e.body, kinds.InstanceStored) and e.node == "WS1" and e.body.study_uid == study,
        after=result.event,
    )
    return study


def waiting(lab: Lab) -> str:
    """A new study that waits on ROUTER for WS1, which it is held for."""
    do(lab, "queue.hold", node="ROUTER", destination="WS1", reason="drill")
    return scanned(lab)


def archive(lab: Lab) -> Archive:
    store = lab.department.node("ARCHIVE").store
    assert store is not None
    return store


def patient(lab: Lab, study: str) -> str:
    found = archive(lab).study(study)
    assert found is not None
    return found.study.patient_id


def entry(lab: Lab) -> int:
    """The last entry of the archive's journal."""
    return archive(lab).journal()[0].number


def two_series(lab: Lab) -> dict[str, Any]:
    """A study of more than one series, and its first."""
    for study in archive(lab).studies():
        if study.series > 1:
            found = archive(lab).study(study.study_uid)
            assert found is not None
            return {"study": study.study_uid, "series": [found.series[0].series_uid]}
    raise AssertionError("no study has two series")


def orphan(lab: Lab) -> dict[str, Any]:
    """An image whose row is lost."""
    store = archive(lab)
    lost = [one.sop_instance for one in store.objects(scanned(lab))]
    with store.bench.index.changing() as connection:
        drop_rows(connection, lost)
    return {"what": "files"}


def unmounted(lab: Lab) -> dict[str, Any]:
    """A volume with a study on it, which is not mounted."""
    store = archive(lab)
    unmount(store.bench, "tier2", [row.file for row in rows_in(store, [scanned(lab)])])
    return {"volume": "tier2"}


def secured(lab: Lab) -> dict[str, Any]:
    """A node that is to listen for TLS."""
    do(lab, "node.config.save", node="WS2", set={"tls_port": 2762})
    return {"node": "WS2"}


def locked(lab: Lab) -> dict[str, Any]:
    """A job that holds the archive's index."""
    lock_index(archive(lab), Job(name="backup", since="Mon 02:10"))
    return {"job": "backup"}


# What each command is tried with, in this order, and what its sentence must say.
TRIED: tuple[tuple[str, Callable[[Lab], dict[str, Any]], bool, str], ...] = (
    ("tool.ping", lambda lab: {"node": "CT1", "host": "archive"}, True, "answers to ping"),
    ("tool.port", lambda lab: {"node": "WS1", "host": "archive", "port": 11112}, True, "open"),
    ("tool.lookup", lambda lab: {"node": "WS1", "host": "archive"}, True, "198.18.20.30"),
    ("node.service_call", lambda lab: {"node": "ARCHIVE", "what": "storing"}, True, "found nothing of the kind"),
    ("archive.purge", lambda lab: {}, True, "keeps everything"),
    ("tool.lookup", lambda lab: {"node": "WS1", "host": "nowhere"}, False, "not known"),
    ("tool.echo", lambda lab: {"node": "CT1", "remote": "ROUTER"}, True, "answered"),
    ("tool.echo", lambda lab: {"node": "CT1", "remote": "ROUTER", "calling_ae": "STRANGER"}, False, "calling AE title"),
    (
        "tool.echo",
        lambda lab: {"node": "CT1", "ae_title": "ARCHIVE", "host": "198.18.20.30", "port": 11113},
        False,
        "timed out",
    ),
    ("tool.find", lambda lab: {"node": "WS1", "remote": "ARCHIVE", "keys": {"PatientName": "*"}}, True, "match"),
    ("tool.find", lambda lab: {"node": "WS1", "remote": "ROUTER", "keys": {"PatientID": "1"}}, False, "ROUTER"),
    (
        "tool.move",
        lambda lab: {"node": "WS1", "remote": "ARCHIVE", "keys": {"StudyInstanceUID": prior(lab)}},
        True,
        "sent",
    ),
    (
        "tool.move",
        lambda lab: {
            "node": "WS1",
            "remote": "ARCHIVE",
            "destination": "NOBODY",
            "keys": {"StudyInstanceUID": prior(lab)},
        },
        False,
        "NOBODY",
    ),
    (
        "tool.get",
        lambda lab: {"node": "WS2", "remote": "ARCHIVE", "keys": {"StudyInstanceUID": prior(lab)}},
        True,
        "sent",
    ),
    (
        "tool.propose",
        lambda lab: {
            "node": "CT1",
            "remote": "ROUTER",
            "contexts": [{"abstract_syntax": "1.2.840.10008.1.1", "transfer_syntaxes": ["1.2.840.10008.1.2"]}],
        },
        True,
        "1 of 1",
    ),
    ("tool.tls", lambda lab: {"node": "CT1", "host": "router", "port": 104}, False, "does not speak TLS"),
    ("tool.store", lambda lab: {"node": "CT1", "remote": "ROUTER", "study": scanned(lab)}, True, "took it"),
    ("terminal.run", lambda lab: {"node": "CT1", "line": "hostname"}, True, "ct1"),
    ("terminal.cancel", lambda lab: {"run": "nothing-runs"}, False, "ended already"),
    ("study.retrieve", lambda lab: {"node": "WS2", "study": prior(lab)}, True, "sent"),
    ("exam.acquire", lambda lab: {"node": "MR1", "procedure": "MRKNEEL", "images": 1, "stat": True}, True, "KNEE LEFT"),
    ("exam.send", lambda lab: {"node": "CT1", "study": scanned(lab), "to": "ROUTER"}, True, "1 of 1"),
    (
        "exam.correct",
        lambda lab: {"node": "CT1", "study": scanned(lab), "values": {"StudyDescription": "CT HEAD"}},
        True,
        "StudyDescription CT HEAD",
    ),
    ("study.remove", lambda lab: {"node": "WS1", "study": shown(lab)}, True, "1 image of"),
    ("queue.hold", lambda lab: {"node": "ROUTER", "destination": "WS1", "reason": "drill"}, True, "held"),
    ("queue.retry", lambda lab: {"node": "ROUTER", "destination": "WS1"}, True, "tried now"),
    ("queue.promote", lambda lab: {"node": "ROUTER", "destination": "WS1", "study": waiting(lab)}, True, "go first"),
    ("queue.set_aside", lambda lab: {"node": "ROUTER", "destination": "WS1", "study": waiting(lab)}, True, "set aside"),
    ("queue.redrive", lambda lab: {"node": "ROUTER", "destination": "WS1"}, True, "back in line"),
    ("queue.discard", lambda lab: {"node": "ROUTER", "destination": "WS1", "reason": "x"}, True, "thrown away"),
    ("queue.resume", lambda lab: {"node": "ROUTER", "destination": "WS1"}, True, "runs again"),
    (
        "node.config.save",
        lambda lab: {
            "node": "CT1",
            "set": {"remotes.ROUTER.port": 105, "auto_send": False},
            "add": {"remotes": {"name": "WS1", "ae_title": "WS1", "host": "ws1.riverside.example", "port": 104}},
            "remove": ["remotes.ARCHIVE"],
        },
        True,
        "Restart it",
    ),
    ("node.config.discard", lambda lab: {"node": "CT1"}, True, "the running one again"),
    ("node.config.save", lambda lab: {"node": "CT1", "set": {"remotes.ROUTER.port": 104}}, True, "nothing was saved"),
    ("node.restart", lambda lab: {"node": "CT1"}, True, "Listens as CT1"),
    ("node.stop", lambda lab: {"node": "CT1"}, True, "stopped"),
    ("node.stop", lambda lab: {"node": "CT1"}, True, "already"),
    ("node.start", lambda lab: {"node": "CT1"}, True, "Listens as CT1"),
    ("node.start", lambda lab: {"node": "CT1"}, True, "already"),
    ("network.firewall.add", lambda lab: RULE, True, "added"),
    ("network.firewall.remove", lambda lab: RULE, True, "removed"),
    ("network.dns.set", lambda lab: {"name": "pacs", "address": "198.18.20.30"}, True, "198.18.20.30"),
    ("network.dns.set", lambda lab: {"name": "pacs"}, True, "no longer"),
    ("network.service_call", lambda lab: {"a": "CT1", "b": "ROUTER", "what": "loss"}, True, "not so: packets get lost"),
    ("node.hosts.set", lambda lab: {"node": "CT1", "name": "pacs", "address": "198.18.20.30"}, True, "198.18.20.30"),
    ("node.hosts.set", lambda lab: {"node": "CT1", "name": "pacs"}, True, "looked up in DNS again"),
    ("node.readdress", lambda lab: {"node": "US1", "address": "198.18.10.99"}, True, "is 198.18.10.99 now"),
    ("node.readdress", lambda lab: {"node": "US1", "address": "198.18.10.14"}, True, "is 198.18.10.14 now"),
    ("tool.clock", lambda lab: {"node": "CT1"}, True, "as the time server does"),
    ("node.clock.sync", lambda lab: {"node": "CT1"}, True, "set by the time server"),
    ("node.clock.zone", lambda lab: {"node": "CT1"}, True, "time zone"),
    ("node.certificate.show", secured, True, "certificate for WS2"),
    ("node.certificate.renew", secured, True, "has a new certificate"),
    ("node.certificate.trust", secured, True, "trusts the department's authority"),
    ("background.resume", lambda lab: {}, True, "goes on"),
    ("background.pause", lambda lab: {}, True, "rests"),
    ("archive.orphans", lambda lab: {}, True, "No orphans"),
    ("archive.edit", lambda lab: {"study": scanned(lab), "values": {"StudyID": "S1"}, "reason": "typo"}, True, "S1"),
    (
        "archive.export",
        lambda lab: {"to": "first", "study": prior(lab), "zipped": True, "reason": "second opinion"},
        True,
        "first.zip",
    ),
    (
        "archive.merge",
        lambda lab: {"patient": patient(lab, scanned(lab)), "into": patient(lab, prior(lab)), "reason": "one person"},
        True,
        "Merged",
    ),
    ("archive.undo", lambda lab: {"entry": entry(lab), "reason": "they are two"}, True, "Took back"),
    (
        "archive.move_study",
        lambda lab: {"study": scanned(lab), "to": patient(lab, prior(lab)), "reason": "wrong patient"},
        True,
        "Moved",
    ),
    ("archive.split", lambda lab: {**two_series(lab), "reason": "two exams in one"}, True, "Split"),
    (
        "archive.reject",
        lambda lab: {"study": scanned(lab), "code": "113038", "reason": "wrong order"},
        True,
        "Worklist",
    ),
    ("archive.delete", lambda lab: {"study": scanned(lab), "reason": "a test image"}, True, "in the bin"),
    ("archive.bin", lambda lab: {}, True, "in the bin"),
    ("archive.restore", lambda lab: {"entry": entry(lab), "reason": "it was no test"}, True, "Restored 1 instance"),
    ("archive.reindex", lambda lab: {"study": scanned(lab), "reason": "odd counts"}, True, "1 instance read"),
    ("archive.orphans.mend", lambda lab: {**orphan(lab), "reason": "found at night"}, True, "Indexed 1 file"),
    ("archive.bin.empty", lambda lab: {"confirmed": True, "reason": "disk full"}, True, "for good"),
    ("archive.journal", lambda lab: {}, True, "in the journal"),
    ("archive.volume.mount", unmounted, True, "can be read again"),
    ("archive.volumes", lambda lab: {}, True, "every volume is mounted"),
    ("archive.job.end", locked, True, "can be written again"),
    ("archive.jobs", lambda lab: {}, True, "nobody else works"),
    ("lab.reset", lambda lab: {}, True, "start"),
)


@pytest.mark.parametrize("number", range(len(TRIED)), ids=lambda number: f"{number}-{TRIED[number][0]}")
def test_command(lab: Lab, number: int) -> None:
    name, params, ok, said = TRIED[number]
    result = do(lab, name, **params(lab))
    assert result.ok is ok, result
    assert said in result.sentence
    assert lab.events[result.event].kind == "command.issued"


# And what makes no sense: (command, params, error, what is said).
REFUSED: tuple[tuple[str, dict[str, Any], type[SandboxError], str], ...] = (
    ("tool.echo", {"node": "CT1"}, BadInputError, "which AE"),
    ("tool.echo", {"node": "CT1", "remote": "ROUTER", "host": "x"}, BadInputError, "Give one"),
    ("tool.echo", {"node": "CT1", "remote": "WS9"}, NotFoundError, "AE table"),
    ("tool.echo", {"node": "CT1", "ae_title": "X" * 17, "host": "a", "port": 1}, BadInputError, "17 characters"),
    ("tool.find", {"node": "WS1", "remote": "ARCHIVE", "keys": {"Nonsense": "1"}}, BadInputError, "Nonsense"),
    ("exam.acquire", {"node": "ROUTER"}, BadInputError, "no modality"),
    ("exam.acquire", {"node": "CT1", "procedure": "MRKNEEL"}, BadInputError, "CTHEADWO"),
    ("exam.acquire", {"node": "CT1", "procedure": "NOPE"}, NotFoundError, "NOPE"),
    ("exam.send", {"node": "CT1", "study": "1.2.3", "to": "ROUTER"}, NotFoundError, "study"),
    ("exam.send", {"node": "CT1", "study": "../../etc", "to": "ROUTER"}, BadInputError, "study"),
    ("exam.correct", {"node": "CT1", "study": "1.2.3", "values": {"StudyID": "1"}}, NotFoundError, "study"),
    ("exam.correct", {"node": "ARCHIVE", "study": "1.2.3", "values": {"StudyID": "1"}}, BadInputError, "no modality"),
    ("study.remove", {"node": "WS1", "study": "1.2.3"}, NotFoundError, "study"),
    ("study.remove", {"node": "ARCHIVE", "study": "1.2.3"}, BadInputError, "no workstation"),
    ("study.retrieve", {"node": "CT1", "study": "1.2.3"}, BadInputError, "archive"),
    ("queue.hold", {"node": "ARCHIVE", "destination": "WS1"}, BadInputError, "no send queue"),
    ("queue.hold", {"node": "ROUTER", "destination": "WS9"}, NotFoundError, "WS9"),
    ("queue.discard", {"node": "ROUTER", "destination": "WS1", "entry": 99999}, NotFoundError, "99999"),
    ("node.config.save", {"node": "CT1"}, BadInputError, "nothing to save"),
    ("node.config.save", {"node": "CT1", "set": {"remotes.NOPE.port": 1}}, BadInputError, "NOPE"),
    ("node.config.save", {"node": "CT1", "set": {"remotes.ROUTER.port": "x"}}, BadInputError, "port"),
    ("node.config.save", {"node": "CT1", "set": {"remotes": "x"}}, BadInputError, "remotes"),
    ("node.config.save", {"node": "CT1", "remove": ["ae_title"]}, BadInputError, "ae_title"),
    ("node.config.save", {"node": "CT1", "add": {"ae_title": {"name": "x"}}}, BadInputError, "ae_title"),
    ("node.config.save", {"node": "CT1", "add": {"remotes": 5}}, BadInputError, "remotes"),
    ("archive.delete", {"node": "CT1", "study": "1.2.3", "reason": "x"}, BadInputError, "no archive"),
    ("archive.delete", {"study": "1.2.3", "reason": "x"}, NotFoundError, "1.2.3"),
    ("archive.delete", {"study": "1.2.3"}, BadInputError, "reason"),
    ("archive.bin.empty", {"reason": "x"}, BadInputError, "Confirm"),
    ("archive.purge", {"node": "CT1"}, BadInputError, "no archive"),
    ("node.service_call", {"node": "CT1", "what": "everything"}, BadInputError, "what"),
    ("archive.volume.mount", {"volume": "attic"}, NotFoundError, "attic"),
    ("archive.job.end", {"job": "backup"}, NotFoundError, "No job"),
    ("archive.export", {"to": "../x", "study": "1.2.3", "reason": "x"}, BadInputError, "to"),
    ("network.firewall.add", {"source": "nowhere"}, BadInputError, "nowhere"),
    ("network.firewall.remove", {"source": "emergency", "action": "reject"}, NotFoundError, "no rule"),
    ("network.service_call", {"a": "CT1", "b": "CT1", "what": "loss"}, BadInputError, "itself"),
    ("network.service_call", {"a": "CT1", "b": "WS9", "what": "loss"}, NotFoundError, "WS9"),
    ("network.service_call", {"a": "CT1", "what": "moods"}, BadInputError, "latency"),
    ("node.readdress", {"node": "CT1", "address": "198.18.20.30"}, BadInputError, "198.18.10.0/24"),
    ("node.hosts.set", {"node": "CT1", "name": "unheard-of"}, BadInputError, "unheard-of"),
    ("node.certificate.renew", {"node": "MR1"}, ConflictError, "does not use TLS"),
    ("network.dns.set", {"name": "-bad-", "address": "198.18.20.1"}, BadInputError, "-bad-"),
    ("network.dns.set", {"name": "unheard-of"}, BadInputError, "unheard-of"),
)


@pytest.mark.parametrize(("name", "params", "error", "said"), REFUSED)
def test_refused(lab: Lab, name: str, params: dict[str, Any], error: type[SandboxError], said: str) -> None:
    saved = {node.name: node.saved for node in lab.department.nodes.values()}
    with pytest.raises(error) as told:
        do(lab, name, **params)
    assert said in str(told.value)
    assert {node.name: node.saved for node in lab.department.nodes.values()} == saved


def test_every_command_is_tried_above() -> None:
    assert set(commands()) == {name for name, *_ in TRIED}


@pytest.mark.parametrize("name", commands())
def test_every_command_is_described(name: str) -> None:
    command = commands()[name]
    assert command.__doc__
    assert command.__doc__ != command.__mro__[1].__doc__
    assert command.title
    for key, field in command.model_json_schema(by_alias=True).get("properties", {}).items():
        assert field.get("title") or "$ref" in field, f"{name}: {key} has no title"
    assert f"## {name}\n" in REFERENCE.read_text(encoding="utf-8"), "run `make reference`"


def test_a_saved_configuration_is_saved_whole_or_not_at_all(lab: Lab) -> None:
    before = lab.department.node("CT1").saved
    with pytest.raises(BadInputError):
        do(lab, "node.config.save", node="CT1", set={"remotes.ROUTER.port": 105, "maximum_pdu": -1})
    assert lab.department.node("CT1").saved == before


def test_a_line_may_be_replaced_by_one_of_the_same_name(lab: Lab) -> None:
    line = {"name": "ROUTER", "ae_title": "OTHER", "host": "198.18.20.20", "port": 104}
    do(lab, "node.config.save", node="CT1", remove=["remotes.ROUTER"], add={"remotes": [line]})
    remote = lab.department.node("CT1").saved.remote("ROUTER")
    assert remote is not None
    assert remote.ae_title == "OTHER"
    do(lab, "node.config.discard", node="CT1")


@pytest.fixture
def being_reset(lab: Lab) -> Iterator[Lab]:
    with lab._quiet():
        yield lab


def test_no_command_begins_while_the_lab_is_reset(being_reset: Lab) -> None:
    with pytest.raises(ConflictError, match="being reset"):
        do(being_reset, "tool.lookup", node="CT1", host="archive")


def test_the_registry_reads_commands_without_a_lab() -> None:
    assert parse("node.stop", {"node": "CT1"}).params == {"node": "CT1"}
    assert parse("network.dns.set", {"name": "x", "address": "198.18.1.1"}).params == {
        "name": "x",
        "address": "198.18.1.1",
    }
    with pytest.raises(BadInputError, match=r"node\.stop"):
        parse("node.stopp", {})


def test_what_was_corrected_at_the_console_is_what_is_sent_from_then_on(lab: Lab) -> None:
    study = scanned(lab)
    assert do(lab, "exam.correct", node="CT1", study=study, values={"StudyDescription": "AS MEANT"}).ok
    keys = {"StudyInstanceUID": study, "StudyDescription": ""}
    before = do(lab, "tool.find", node="WS1", remote="ARCHIVE", level="STUDY", keys=keys)
    assert "AS MEANT" not in str(before.rows)
    do(lab, "archive.delete", node="ARCHIVE", study=study, reason="sent again")
    assert do(lab, "exam.send", node="CT1", study=study, to="ARCHIVE").ok
    after = do(lab, "tool.find", node="WS1", remote="ARCHIVE", level="STUDY", keys=keys)
    assert "AS MEANT" in str(after.rows)


def test_a_local_copy_that_was_removed_comes_again_from_the_archive(lab: Lab) -> None:
    study = shown(lab)
    assert do(lab, "study.remove", node="WS1", study=study).ok
    store = lab.department.node("WS1").store
    assert store is not None
    assert store.study(study) is None
    assert do(lab, "study.retrieve", node="WS1", study=study).ok
    assert store.study(study) is not None
