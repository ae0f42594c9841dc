"""TLS on real sockets: our own two sides, stock pynetdicom, openssl and dcmtk, with sound and wrong certificates."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pynetdicom import AE, evt

from sandbox.dicom import syntaxes
from sandbox.dicom.authority import Authority, Flaw
from sandbox.dicom.client import Association
from sandbox.dicom.contract import Peer, Services, StoreRequest, StoreStatus
from sandbox.dicom.outcomes import AssociationFailure, FailureKind
from sandbox.dicom.tls import TlsIdentity, TlsPolicy, client_context, server_context
from sandbox.dicom.tls_failures import CERTIFICATE_FAULTS, REASONS
from sandbox.model.association import Side
from sandbox.model.config import ClientCertificates
from sandbox.model.errors import BadInputError
from tests.dicom.support import (
    CT,
    FAST,
    ScriptedPeer,
    Served,
    associate_rq,
    instance,
    make_requestor,
    scripted_acceptor,
    serving,
    wait_until,
)

HOSTS = ("localhost", "127.0.0.1")
REQUIRED, WANTED = ClientCertificates.REQUIRED, ClientCertificates.WANTED


class Department:
    """An authority, and certificates of it by name and flaw."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.authority = Authority(directory / "authority")

    def identity(self, name: str, flaw: Flaw = Flaw.NONE) -> TlsIdentity:
        return self.authority.issue(self.directory / f"{name}-{flaw}", name, HOSTS, flaw=flaw)

    def server(self, flaw: Flaw = Flaw.NONE, client: ClientCertificates = ClientCertificates.NONE) -> TlsPolicy:
        return TlsPolicy(self.identity("ARCHIVE", flaw), self.authority.ready(), client)

    def client(self, flaw: Flaw | None = Flaw.NONE) -> TlsPolicy:
        return TlsPolicy(None if flaw is None else self.identity("CT1", flaw), self.authority.ready())


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Department:
    return Department(tmp_path_factory.mktemp("department"))


def call(served: Served, policy: TlsPolicy | None, host: str = "127.0.0.1") -> Association | AssociationFailure:
    peer = Peer("ARCHIVE", host, served.tls_port, policy)
    return served.requestor().associate(peer, (*syntaxes.verification(), *syntaxes.storage_contexts((CT,))))


def echo(served: Served, policy: TlsPolicy, host: str = "127.0.0.1") -> int | None:
    opened = call(served, policy, host)
    assert isinstance(opened, Association), opened
    with opened:
        return opened.echo().status


def refusal(served: Served, policy: TlsPolicy | None) -> AssociationFailure:
    opened = call(served, policy)
    if isinstance(opened, Association):
        opened.abort()
        pytest.fail("the association was opened")
    return opened


# --- our own two sides -------------------------------------------------------------------------------------------


def test_an_echo_and_a_large_object_over_tls(department: Department) -> None:
    got: list[bytes] = []

    def store(request: StoreRequest) -> StoreStatus:
        got.append(bytes(request.dataset))
        return StoreStatus(0)

    with serving(Services(store=store), tls=department.server()) as served:
        opened = call(served, department.client(), "localhost")
        assert isinstance(opened, Association), opened
        with opened:
            assert opened.echo().status == 0
            assert opened.store(instance(pixels=3_000_000)).status == 0
        served.told.wait_for("released", Side.ACCEPTOR)
    assert len(got[0]) > 3_000_000
    facts = [facts for name, facts, _ in served.told.told if name == "accepted"]
    assert facts[0] is not None
    assert facts[0].tls.startswith("TLSv1.3, TLS_")
    assert facts[0].local == "198.18.1.1:2762"


def test_the_plain_port_stays_beside_it_and_shares_the_limit(department: Department) -> None:
    with serving(tls=department.server(), maximum_associations=1) as served:
        with_tls = call(served, department.client())
        assert isinstance(with_tls, Association)
        plain = served.requestor().associate(served.peer, syntaxes.verification())
        assert isinstance(plain, AssociationFailure)
        assert str(plain.rejection) == "2/3/2"
        with_tls.release()
        wait_until(lambda: served.server.active == 0)
        plain = served.requestor().associate(served.peer, syntaxes.verification())
        assert isinstance(plain, Association)
        assert plain.facts.tls == ""
        plain.release()


@pytest.mark.parametrize(
    ("flaw", "words"),
    [
        (Flaw.EXPIRED, "the peer's certificate has expired"),
        (Flaw.NOT_YET_VALID, "the peer's certificate is not valid yet"),
        (Flaw.WRONG_NAME, "the peer's certificate is for another address"),
        (Flaw.WRONG_AUTHORITY, "from an authority that is not trusted here"),
        (Flaw.SELF_SIGNED, "signed by nobody but itself"),
    ],
)
def test_a_wrong_certificate_of_the_server_is_told_on_both_sides(
    department: Department, flaw: Flaw, words: str
) -> None:
    with serving(tls=department.server(flaw)) as served:
        failure = refusal(served, department.client())
        assert failure.kind is FailureKind.NO_TLS
        assert words in failure.sentence
        assert words in served.clients.wait_for("aborted", Side.REQUESTOR)[0]
        assert "our certificate" in served.told.wait_for("unspoken")[1] or flaw in (
            Flaw.WRONG_AUTHORITY,
            Flaw.SELF_SIGNED,
        )
        assert "TLS handshake failed" in served.told.wait_for("unspoken")[1]


def test_a_wrong_name_is_told_apart_from_a_wrong_address(department: Department) -> None:
    with serving(tls=department.server(Flaw.WRONG_NAME)) as served:
        opened = call(served, department.client(), "localhost")
        assert isinstance(opened, AssociationFailure)
        assert "for another name" in opened.sentence


@pytest.mark.parametrize(
    ("flaw", "words"),
    [
        (None, "the peer showed no certificate, and one is required"),
        (Flaw.EXPIRED, "the peer's certificate has expired"),
        (Flaw.WRONG_AUTHORITY, "from an authority that is not trusted here"),
        (Flaw.SELF_SIGNED, "signed by nobody but itself"),
    ],
)
def test_a_client_whose_certificate_will_not_do(department: Department, flaw: Flaw | None, words: str) -> None:
    with serving(tls=department.server(client=REQUIRED)) as served:
        failure = refusal(served, department.client(flaw))
        assert words in served.told.wait_for("unspoken")[1]
        assert "of us" in failure.sentence or "our certificate" in failure.sentence, failure.sentence
        assert served.server.active == 0


def test_client_certificates_required_and_wanted(department: Department) -> None:
    with serving(tls=department.server(client=REQUIRED)) as served:
        assert echo(served, department.client()) == 0
        assert "certificate CT1" in next(
            f.tls for name, f, _ in served.told.told if f is not None and name == "accepted"
        )
    with serving(tls=department.server(client=WANTED)) as served:
        assert echo(served, department.client(None)) == 0
        assert echo(served, department.client()) == 0
        refusal(served, department.client(Flaw.EXPIRED))


def test_plaintext_to_the_tls_port(department: Department) -> None:
    with serving(tls=department.server()) as served:
        failure = refusal(served, None)
        assert failure.kind is FailureKind.ABORTED
        assert served.told.wait_for("unspoken")[1] == "the peer speaks without TLS to a port with TLS"
        with ScriptedPeer.connect(served.tls_port) as peer:
            peer.send(associate_rq()).read_to_end()
        assert echo(served, department.client()) == 0


def test_tls_to_the_plain_port(department: Department) -> None:
    with serving(tls=department.server()) as served:
        opened = served.requestor().associate(
            Peer("ARCHIVE", "127.0.0.1", served.port, department.client()), syntaxes.verification()
        )
        assert isinstance(opened, AssociationFailure)
        assert "the peer does not speak TLS" in opened.sentence
        assert served.told.wait_for("unspoken")[1] == "the peer sent a TLS handshake to a port without TLS"


def test_a_silent_connection_holds_up_nobody_and_is_closed_in_time(department: Department) -> None:
    quick = replace(FAST, acse=4)
    with serving(tls=department.server(), timeouts=quick) as served:
        began = time.monotonic()
        with contextlib.ExitStack() as held:
            silent = [held.enter_context(ScriptedPeer.connect(served.tls_port)) for _ in range(20)]
            # Nor does one that stops in the middle of its ClientHello.
            silent[0].send(b"\x16\x03\x01\x02\x00\x01\x00")
            assert echo(served, department.client()) == 0
            assert time.monotonic() - began < quick.acse
            assert all(peer.is_closed_by_peer() for peer in silent)
        reasons = {rest[1] for rest in served.told.all("unspoken")}
        assert reasons == {"the TLS handshake was not over within 4 s"}


def test_the_request_has_what_the_handshake_left_of_the_artim_time(department: Department) -> None:
    with serving(tls=department.server(), timeouts=replace(FAST, acse=2)) as served:
        context = client_context(department.client())
        began = time.monotonic()
        with (
            socket.create_connection(("127.0.0.1", served.tls_port), 5) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as secured,
        ):
            secured.settimeout(30)
            assert secured.recv(1) == b""
        assert time.monotonic() - began < 15
        assert "no A-ASSOCIATE-RQ" in served.told.wait_for("unspoken")[1]


def test_a_server_stops_at_once_while_handshakes_wait(department: Department) -> None:
    with serving(tls=department.server()) as served, ScriptedPeer.connect(served.tls_port) as peer:
        wait_until(lambda: served.server._all)
        began = time.monotonic()
        served.server.stop()
        assert time.monotonic() - began < 10
        assert peer.is_closed_by_peer()


def test_a_requestor_that_is_closed_gives_up_its_handshake(department: Department) -> None:
    arrived = threading.Event()

    def silent(peer: ScriptedPeer) -> None:
        peer._exactly(1)
        arrived.set()
        peer.read_to_end()

    with scripted_acceptor(silent) as port:
        requestor = make_requestor(timeouts=replace(FAST, acse=30))
        threading.Thread(target=lambda: (arrived.wait(20), requestor.close("it was stopped")), daemon=True).start()
        began = time.monotonic()
        peer = Peer("ARCHIVE", "127.0.0.1", port, department.client())
        opened = requestor.associate(peer, syntaxes.verification())
        assert isinstance(opened, AssociationFailure)
        assert "it was stopped" in opened.sentence
        assert time.monotonic() - began < 20


def test_files_that_are_no_good_are_told_and_not_raised(department: Department, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="needs a certificate"):
        server_context(TlsPolicy())
    with pytest.raises(BadInputError, match="cannot be checked"):
        server_context(TlsPolicy(department.identity("ARCHIVE"), None, REQUIRED))
    mixed = TlsIdentity(department.identity("A1").certificate, department.identity("A2").key)
    with pytest.raises(BadInputError, match="key values mismatch"):
        server_context(TlsPolicy(mixed))
    with serving(tls=department.server()) as served:
        failure = refusal(served, TlsPolicy(authority=tmp_path / "missing.pem"))
        assert failure.kind is FailureKind.NO_TLS
        assert "missing.pem" in failure.sentence


def test_every_reason_is_words() -> None:
    for words in (*CERTIFICATE_FAULTS.values(), *REASONS.values()):
        assert words == words.strip()
        assert not words.endswith(".")
        assert "_" not in words


# --- openssl -----------------------------------------------------------------------------------------------------


def s_client(served: Served, *options: str) -> tuple[bool, str]:
    """Whether openssl's handshake succeeded, and all it said."""
    ran = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{served.tls_port}", "-no_ign_eof", *options],
        input=b"",
        capture_output=True,
        timeout=20,
        check=False,
    )
    said = (ran.stdout + ran.stderr).decode(errors="replace")
    return "Cipher is (NONE)" not in said and "New, (NONE)" not in said, said


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.parametrize(
    ("options", "succeeds"),
    [
        (("-tls1_3",), True),
        (("-tls1_2",), True),
        (("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"), False),
        (("-tls1", "-cipher", "DEFAULT@SECLEVEL=0"), False),
        (("-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"), True),
        (("-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA384"), False),
        (("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"), False),
        (("-tls1_2", "-cipher", "NULL@SECLEVEL=0"), False),
        (("-tls1_2", "-cipher", "AECDH-AES256-SHA@SECLEVEL=0"), False),
    ],
)
def test_which_versions_and_suites_openssl_is_given(
    department: Department, options: tuple[str, ...], succeeds: bool
) -> None:
    with serving(tls=department.server()) as served:
        went, said = s_client(served, *options)
        assert went is succeeds, said
        assert served.told.wait_for("unspoken")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_finds_the_certificate_sound(department: Department) -> None:
    authority = str(department.authority.ready())
    with serving(tls=department.server()) as served:
        _, said = s_client(served, "-CAfile", authority, "-verify_hostname", "localhost", "-x509_strict")
        assert "Verify return code: 0 (ok)" in said
    with serving(tls=department.server(Flaw.EXPIRED)) as served:
        _, said = s_client(served, "-CAfile", authority)
        assert "certificate has expired" in said


# --- dcmtk -------------------------------------------------------------------------------------------------------


def dcmtk(program: str, served: Served, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program, "-aec", "ARCHIVE", *options[:-1], "127.0.0.1", str(served.tls_port)]
        + ([options[-1]] if options[-1] else []),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


needs_dcmtk = pytest.mark.skipif(shutil.which("echoscu") is None, reason="dcmtk is not installed")


@needs_dcmtk
def test_dcmtk_echoes_with_and_without_a_certificate(department: Department) -> None:
    authority = str(department.authority.ready())
    mine = department.identity("ECHOSCU")
    with serving(tls=department.server()) as served:
        ran = dcmtk("echoscu", served, "+tla", "+cf", authority, "")
        assert ran.returncode == 0, ran.stderr
        served.told.wait_for("released", Side.ACCEPTOR)
    with serving(tls=department.server(client=REQUIRED)) as served:
        assert dcmtk("echoscu", served, "+tla", "+cf", authority, "").returncode != 0
        assert "one is required" in served.told.wait_for("unspoken")[1]
        ran = dcmtk("echoscu", served, "+tls", str(mine.key), str(mine.certificate), "+cf", authority, "")
        assert ran.returncode == 0, ran.stderr


@needs_dcmtk
def test_dcmtk_refuses_a_wrong_certificate_and_we_say_why(department: Department) -> None:
    authority = str(department.authority.ready())
    with serving(tls=department.server(Flaw.EXPIRED)) as served:
        ran = dcmtk("echoscu", served, "+tla", "+cf", authority, "")
        assert ran.returncode != 0
        assert "our certificate has expired" in served.told.wait_for("unspoken")[1]
        assert dcmtk("echoscu", served, "").returncode != 0
        wait_until(lambda: len(served.told.all("unspoken")) > 1)
        assert served.told.all("unspoken")[1][1] == "the peer speaks without TLS to a port with TLS"


@needs_dcmtk
def test_dcmtk_stores_over_tls(department: Department, tmp_path: Path) -> None:
    got: list[int] = []

    def store(request: StoreRequest) -> StoreStatus:
        got.append(len(request.dataset))
        return StoreStatus(0)

    file = tmp_path / "ct.dcm"
    instance(pixels=2_000_000).save_as(file, enforce_file_format=True)
    mine = department.identity("STORESCU")
    with serving(Services(store=store), tls=department.server(client=REQUIRED)) as served:
        options = ("+tls", str(mine.key), str(mine.certificate), "+cf", str(department.authority.ready()))
        ran = dcmtk("storescu", served, *options, str(file))
        assert ran.returncode == 0, ran.stderr
    assert got
    assert got[0] > 2_000_000


# --- stock pynetdicom --------------------------------------------------------------------------------------------


def test_stock_pynetdicom_calls_us(department: Department) -> None:
    with serving(tls=department.server(client=REQUIRED)) as served:
        ae = AE("STOCK")
        ae.add_requested_context(syntaxes.VERIFICATION)
        context = client_context(department.client())
        association = ae.associate("127.0.0.1", served.tls_port, ae_title="ARCHIVE", tls_args=(context, "localhost"))
        assert association.is_established
        assert association.send_c_echo().Status == 0
        association.release()
        assert association.is_released
        served.told.wait_for("released", Side.ACCEPTOR)


@contextlib.contextmanager
def stock_server(policy: TlsPolicy, echoed: list[Any]) -> Iterator[int]:
    ae = AE("ARCHIVE")
    ae.add_supported_context(syntaxes.VERIFICATION)
    handlers = [(evt.EVT_C_ECHO, lambda event: echoed.append(event) or 0)]
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers, ssl_context=server_context(policy))
    assert server is not None
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()


def test_we_call_stock_pynetdicom(department: Department) -> None:
    echoed: list[Any] = []
    with stock_server(department.server(client=REQUIRED), echoed) as port:
        peer = Peer("ARCHIVE", "localhost", port, department.client())
        opened = make_requestor().associate(peer, syntaxes.verification())
        assert isinstance(opened, Association), opened
        with opened:
            assert opened.echo().status == 0
        assert echoed
        without = make_requestor().associate(replace(peer, tls=department.client(None)), syntaxes.verification())
        assert isinstance(without, AssociationFailure)
        assert without.kind is FailureKind.NO_TLS
        assert "certificate of us" in without.sentence


def test_a_server_of_an_old_version_is_refused(department: Department) -> None:
    identity = department.identity("OLD")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.load_cert_chain(identity.certificate, identity.key)

    def old(peer: ScriptedPeer) -> None:
        with contextlib.suppress(ssl.SSLError):
            context.wrap_socket(peer.sock, server_side=True).close()

    with scripted_acceptor(old) as port:
        opened = make_requestor().associate(
            Peer("OLD", "localhost", port, department.client()), syntaxes.verification()
        )
        assert isinstance(opened, AssociationFailure)
        assert opened.kind is FailureKind.NO_TLS
        assert "versions of TLS" in opened.sentence
