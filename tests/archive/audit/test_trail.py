"""The audit trail of a served archive: what happens on sockets is in its file, and at a syslog server."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from sandbox.archive.audit.messages import Study
from sandbox.archive.audit.reading import last_lines
from sandbox.archive.audit.sinks import AUDIT, FILE, AuditFile, Syslog, SyslogTarget, read_lines
from sandbox.archive.audit.trail import AuditTrail
from sandbox.archive.operations.delete import Delete
from sandbox.archive.operations.edit import Edit
from sandbox.archive.operations.reindex import Reindex
from sandbox.archive.operations.reject import Reject
from sandbox.archive.serve import Remote, RunningArchive, ServeOptions, serve_archive
from sandbox.cli.archive import archive
from sandbox.dicom.authority import Authority
from sandbox.dicom.tls import TlsPolicy, server_context
from sandbox.model.errors import BadInputError
from tests.archive.audit.schema import parsed
from tests.archive.checklist.test_retrieve import get, move
from tests.archive.checklist.wire import EVERYTHING, Wire
from tests.archive.support import CT, FACTS, identifier, instance, uid
from tests.dicom.support import ScriptedPeer, wait_until


class Trail:
    """The messages in an archive's file, each of which keeps to the schema."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / AUDIT

    def all(self, event: str) -> list[ElementTree.Element]:
        return [root for line in read_lines(self._directory) if code(root := parsed(line)) == event]

    def wait(self, event: str, count: int = 1) -> list[ElementTree.Element]:
        def enough() -> list[ElementTree.Element]:
            found = self.all(event)
            return found if len(found) >= count else []

        found: list[ElementTree.Element] = wait_until(enough, 20)
        assert len(found) == count
        return found


def code(root: ElementTree.Element) -> str:
    found = root.find("EventIdentification/EventID")
    assert found is not None
    return found.attrib["csd-code"]


def outcome(root: ElementTree.Element) -> tuple[str, str]:
    found = root.find("EventIdentification")
    assert found is not None
    return found.attrib["EventActionCode"], found.attrib["EventOutcomeIndicator"]


def kinds(root: ElementTree.Element) -> list[str]:
    return [kind.attrib["csd-code"] for kind in root.iter("EventTypeCode")]


def people(root: ElementTree.Element) -> list[tuple[str, str, tuple[str, ...]]]:
    return [
        (
            one.attrib["UserID"],
            one.attrib["UserIsRequestor"],
            tuple(role.attrib["csd-code"] for role in one.iter("RoleIDCode")),
        )
        for one in root.iter("ActiveParticipant")
    ]


def studies(root: ElementTree.Element) -> dict[str, list[str]]:
    """The studies of a message, with how many instances of each class."""
    return {
        one.attrib["ParticipantObjectID"]: [sop.attrib["NumberOfInstances"] for sop in one.iter("SOPClass")]
        for one in root.iter("ParticipantObjectIdentification")
        if one.attrib["ParticipantObjectTypeCodeRole"] == "3"
    }


def patients(root: ElementTree.Element) -> list[str]:
    return [
        one.attrib["ParticipantObjectID"]
        for one in root.iter("ParticipantObjectIdentification")
        if one.attrib["ParticipantObjectTypeCodeRole"] == "1"
    ]


@pytest.fixture
def destination(tmp_path: Path) -> Iterator[RunningArchive]:
    with serve_archive(ServeOptions(ae_title="WS1", directory=tmp_path / "ws1", sync="normal", audit=False)) as running:
        yield running


@pytest.fixture
def served(tmp_path: Path, destination: RunningArchive) -> Iterator[RunningArchive]:
    at = destination.describe()
    remotes = (Remote(ae_title="WS1", host=at.host, port=at.port), Remote.parse("CT1=127.0.0.1:104"))
    options = ServeOptions(
        ae_title="ARCHIVE", directory=tmp_path / "archive", remotes=remotes, strict_calling=True, sync="normal"
    )
    with serve_archive(options) as running:
        yield running


@pytest.fixture
def trail(served: RunningArchive, tmp_path: Path) -> Trail:
    return Trail(tmp_path / "archive")


def dial(served: RunningArchive, **keywords: Any) -> Wire:
    return Wire(served.describe().port, **keywords)


def test_start_and_stop(served: RunningArchive, trail: Trail) -> None:
    served.stop()
    first, last = trail.wait("110100", 2)
    assert (kinds(first), kinds(last)) == (["110120"], ["110121"])
    assert people(first)[0] == ("ARCHIVE", "false", ("110150",))
    assert people(first)[1][1:] == ("true", ("110151",))


def test_a_store_is_one_message_for_each_study(served: RunningArchive, trail: Trail) -> None:
    first, second = uid(), uid()
    with dial(served) as wire:
        for number in range(6):
            study = first if number < 4 else second
            assert wire.store(instance(StudyInstanceUID=study, PatientID="P7", AccessionNumber="A9")).status == 0
        assert trail.all("110104") == []
        wire.release()
    messages = trail.wait("110104", 2)
    assert [studies(one) for one in messages] == [{first: ["4"]}, {second: ["2"]}]
    assert {outcome(one) for one in messages} == {("C", "0")}
    assert people(messages[0]) == [("CT1", "true", ("110153",)), ("ARCHIVE", "false", ("110152",))]
    assert patients(messages[0]) == ["P7"]
    assert [one.attrib["Number"] for one in messages[0].iter("Accession")] == ["A9"]


def test_what_an_association_stored_is_told_though_it_stays_open(tmp_path: Path) -> None:
    told = AuditTrail(lambda: "ARCHIVE", [AuditFile(tmp_path / AUDIT)], quiet=0.05)
    told.start("me")
    told.arrived(FACTS, "1.2.3", CT, lambda: Study("1.2.3", "P1"))
    (message,) = Trail(tmp_path).wait("110104")
    assert studies(message) == {"1.2.3": ["1"]}
    told.stop()


def test_what_was_stored_is_told_though_something_comes_all_the_time(tmp_path: Path) -> None:
    trail = AuditTrail(lambda: "ARCHIVE", [AuditFile(tmp_path / AUDIT)], quiet=0.5)
    trail.start("me")
    over = threading.Event()

    def busy() -> None:
        while not over.wait(0.01):
            trail.note(tuple)

    others = threading.Thread(target=busy)
    others.start()
    try:
        trail.arrived(FACTS, "1.2.3", CT, lambda: Study("1.2.3", "P1"))
        (message,) = Trail(tmp_path).wait("110104")
    finally:
        over.set()
        others.join()
        trail.stop()
    assert studies(message) == {"1.2.3": ["1"]}


def test_one_patient_id_of_two_issuers_is_two_patients(served: RunningArchive, trail: Trail) -> None:
    one, other = (instance(PatientID="P7", IssuerOfPatientID=issuer) for issuer in ("RIVERSIDE", "LAKESIDE"))
    with dial(served) as wire:
        assert [wire.store(ds).status for ds in (one, other)] == [0, 0]
        assert move(wire, StudyInstanceUID=[one.StudyInstanceUID, other.StudyInstanceUID])[-1].status == 0
    messages = trail.wait("110102", 2)
    assert sorted(list(studies(message)) for message in messages) == sorted(
        [[str(ds.StudyInstanceUID)] for ds in (one, other)]
    )


def test_a_query_with_what_was_asked(served: RunningArchive, trail: Trail) -> None:
    with dial(served) as wire:
        wire.matches("STUDY", PatientName="Doe*")
        assert wire.find(identifier("NOTHING"))[-1].status == 0xA900
    sound, refused = trail.wait("110112", 2)
    assert (outcome(sound), outcome(refused)) == (("E", "0"), ("E", "8"))
    assert people(sound) == [("CT1", "true", ("110153",)), ("ARCHIVE", "false", ("110152",))]
    assert b"Doe*" in base64.b64decode(sound.findtext(".//ParticipantObjectQuery") or "")


def test_a_retrieve_is_begun_and_transferred(served: RunningArchive, trail: Trail) -> None:
    study = uid()
    made = [instance(StudyInstanceUID=study, PatientID="P3") for _ in range(3)]
    served.archive.add_datasets(made)
    with dial(served) as wire:
        assert move(wire, StudyInstanceUID=study)[-1].status == 0
        gone = served.archive.instance_path(made[0].SOPInstanceUID)
        assert gone is not None
        gone.unlink()
        assert move(wire, StudyInstanceUID=study)[-1].status == 0xB000
        move(wire, "NOBODY", StudyInstanceUID=study)
    with dial(served, contexts=EVERYTHING, roles=[(CT, 0, 1)]) as wire:
        get(wire, identifier("STUDY", StudyInstanceUID=study))
    begun, done = trail.wait("110102", 3), trail.wait("110104", 3)
    assert [outcome(one) for one in done] == [("R", "0"), ("R", "4"), ("R", "4")]
    assert {str(studies(one)) for one in (*begun, *done)} == {str({study: ["3"]})}
    assert patients(begun[0]) == ["P3"]
    assert people(done[0]) == [
        ("ARCHIVE", "false", ("110153",)),
        ("WS1", "false", ("110152",)),
        ("CT1", "true", ()),
    ]
    assert people(done[2]) == [("ARCHIVE", "false", ("110153",)), ("CT1", "true", ("110152",))]


def test_what_an_administrator_does(served: RunningArchive, trail: Trail) -> None:
    changed, deleted = uid(), uid()
    served.archive.add_datasets(
        [instance(StudyInstanceUID=changed, PatientID="P1"), instance(StudyInstanceUID=deleted, PatientID="P2")]
    )
    served.archive.operate(Edit(study_uid=changed, values={"PatientName": "Roe^Jane"}, reason="typing error"), "anna")
    served.archive.operate(Reject(study_uid=changed, reason="blurred"), "anna")
    served.archive.operate(Delete(study_uid=deleted, reason="a test"), "bert")
    served.archive.operate(Reindex(reason="after the crash"), "anna")
    edited, rejected = trail.wait("110103", 2)
    assert (outcome(edited), outcome(rejected)) == (("U", "0"), ("D", "0"))
    assert people(edited) == [("anna", "true", ()), ("ARCHIVE", "false", ())]
    assert changed in studies(edited)
    (gone,) = trail.wait("110105")
    assert (studies(gone), patients(gone), people(gone)[0][0]) == ({deleted: ["1"]}, ["P2"], "bert")
    assert "a test" in (gone.findtext("EventIdentification/EventOutcomeDescription") or "")
    (restricted,) = trail.wait("110113")
    assert kinds(restricted) == ["110132"]


def test_an_unknown_ae_and_a_failed_handshake_are_alerts(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    identity = authority.issue(tmp_path / "certificate", "ARCHIVE", ("127.0.0.1",))
    options = ServeOptions(
        ae_title="ARCHIVE",
        directory=tmp_path / "archive",
        strict_calling=True,
        tls_port=0,
        certificate=identity.certificate,
        key=identity.key,
        sync="normal",
    )
    with serve_archive(options) as running:
        with dial(running, calling="STRANGER") as wire:
            assert wire.rejection == (1, 1, 3)
        Trail(tmp_path / "archive").wait("110113")
        with ScriptedPeer.connect(running.describe().tls_port) as peer:
            peer.send(b"no TLS at all, but more than a few bytes").read_to_end()
        unknown, handshake = Trail(tmp_path / "archive").wait("110113", 2)
    assert kinds(unknown) == kinds(handshake) == ["110126"]
    assert outcome(unknown) == ("E", "4")
    assert people(unknown)[1][0] == "STRANGER"
    assert people(handshake)[1][0] == "127.0.0.1"


# --- where they go ---------------------------------------------------------------------------------------------------


NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def test_a_full_file_is_put_aside_and_only_so_many_are_kept(tmp_path: Path) -> None:
    file = AuditFile(tmp_path, limit=100, kept=3)
    for number in range(20):
        file.write([(NOW, f"{number:03} " + "x" * 60)])
    numbers = [int(line[:3]) for line in read_lines(tmp_path)]
    assert numbers == list(range(numbers[0], 20))
    assert len(list(tmp_path.glob("audit-*.log"))) == 3
    assert (tmp_path / FILE).stat().st_size <= 200


def test_what_cannot_be_written_waits_in_memory_up_to_a_bound(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = AuditFile(tmp_path, most_kept_back=25)
    file.write([(NOW, "0")])
    (tmp_path / FILE).rename(tmp_path / "aside")
    (tmp_path / FILE).mkdir()
    for number in range(1, 10):
        file.write([(NOW, f"{number} of nine")])
        assert file.waits
    assert [one.levelname for one in caplog.records] == ["WARNING"]
    assert "cannot be written, and waits in memory" in caplog.text
    (tmp_path / FILE).rmdir()
    (tmp_path / "aside").rename(tmp_path / FILE)
    file.write(())
    assert list(read_lines(tmp_path)) == ["0", "1 of nine", "2 of nine"]
    assert "2 messages had waited, 7 were too many" in caplog.text
    assert not file.waits


def test_a_trail_is_written_as_soon_as_it_can_be_without_anybody_coming(tmp_path: Path) -> None:
    (tmp_path / AUDIT / FILE).mkdir(parents=True)
    told = AuditTrail(lambda: "ARCHIVE", [file := AuditFile(tmp_path / AUDIT)], quiet=0.1)
    told.start("me")
    wait_until(lambda: file.waits, 20)
    (tmp_path / AUDIT / FILE).rmdir()
    Trail(tmp_path).wait("110100")
    told.stop()


def test_a_line_that_was_cut_off_spoils_no_other(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("whole\nhal")
    AuditFile(tmp_path).write([(NOW, "next")])
    assert list(read_lines(tmp_path)) == ["whole", "hal", "next"]


def test_syslog_over_udp(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(20)
        target = SyslogTarget.parse(f"127.0.0.1:{server.getsockname()[1]}")
        options = ServeOptions(ae_title="ARCHIVE", directory=tmp_path, sync="normal", audit_syslog=target)
        with serve_archive(options):
            line = server.recv(65536).decode()
    header, _, text = line.partition(" \ufeff")
    assert header.startswith("<85>1 20")
    assert header.endswith(" DICOM+RFC3881 -")
    assert header.split()[3] == "ARCHIVE"
    assert kinds(parsed(text)) == ["110120"]


@contextmanager
def tls_listener(context: ssl.SSLContext, got: list[bytes]) -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        connection, _ = listener.accept()
        with context.wrap_socket(connection, server_side=True) as secured:
            while data := secured.recv(65536):
                got.append(data)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.close()
        thread.join(10)


def test_syslog_over_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    identity = authority.issue(tmp_path / "certificate", "LOGS", ("127.0.0.1",))
    got: list[bytes] = []
    with tls_listener(server_context(TlsPolicy(identity)), got) as port:
        sink = Syslog(SyslogTarget.parse(f"tls://127.0.0.1:{port}"), "ARCHIVE", TlsPolicy(None, authority.certificate))
        sink.write([(NOW, "<AuditMessage/>"), (NOW, "<AuditMessage/>")])
        sink.close()
    whole = b"".join(got)
    length, _, rest = whole.partition(b" ")
    assert rest[: int(length)].endswith(b"<AuditMessage/>")
    assert whole == (length + b" " + rest[: int(length)]) * 2


@pytest.mark.parametrize("port", [0, 1])
def test_a_server_that_is_not_there_holds_nobody_up(
    tmp_path: Path, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = taken.getsockname()[1]
    scheme = ("tls", "udp")[port]
    sinks = [Syslog(SyslogTarget.parse(f"{scheme}://127.0.0.1:{closed}"), "A"), AuditFile(tmp_path / AUDIT)]
    told = AuditTrail(lambda: "ARCHIVE", sinks)
    told.start("me")
    Trail(tmp_path).wait("110100")
    told.stop()
    Trail(tmp_path).wait("110100", 2)
    assert scheme == "udp" or "do not reach" in caplog.text


@pytest.mark.parametrize("text", ["", "host", "host:0", "host:x", "http://host:1", "host:70000"])
def test_targets_that_are_none(text: str) -> None:
    with pytest.raises(BadInputError):
        SyslogTarget.parse(text)


def test_a_simulated_address_is_never_sent_to(caplog: pytest.LogCaptureFixture) -> None:
    for scheme in ("udp", "tls"):
        for host in ("198.18.1.1", "[::ffff:198.18.1.1]"):
            Syslog(SyslogTarget.parse(f"{scheme}://{host}:514"), "A").write([(NOW, "<AuditMessage/>")])
    assert caplog.text.count("simulated address") == 4


def test_no_audit_leaves_no_file(tmp_path: Path) -> None:
    with serve_archive(ServeOptions(ae_title="A", directory=tmp_path, sync="normal", audit=False)):
        assert not (tmp_path / AUDIT).exists()


def test_a_trail_is_read_back_in_short(served: RunningArchive, trail: Trail, tmp_path: Path) -> None:
    with dial(served) as wire:
        assert wire.find(identifier("NOTHING"))[-1].status == 0xA900
    trail.wait("110112")
    with (tmp_path / "archive" / AUDIT / FILE).open("a", encoding="utf-8") as file:
        file.write("<AuditMessage><cut")
    started, asked = last_lines(tmp_path / "archive" / AUDIT, 10)
    assert started.event == "Application Activity: Application Start"
    assert (asked.event, asked.who, asked.outcome) == ("Query", ("CT1", "ARCHIVE"), "serious failure")
    assert "CT1 → ARCHIVE" in asked.sentence()
    done = CliRunner().invoke(archive, ["audit", "--store", str(tmp_path / "archive"), "--limit", "1"])
    assert done.output.strip() == asked.sentence()
