"""The other two doors of ``archive serve``, TLS and DICOMweb, under random and spoilt bytes: as test_fuzz.py, shorter.

What is said inside a TLS session is spoilt as on the plain port, and so is the handshake itself. Requests over HTTP are
spoilt in their lines, headers and parts; an answer of 500 would be a fault of ours, whatever was asked.
"""

from __future__ import annotations

import contextlib
import random
import re
import select
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from sandbox.archive.part10 import part10_bytes
from sandbox.archive.serve import ServeOptions, serve_archive
from sandbox.dicom.authority import Authority
from sandbox.dicom.tls import TlsPolicy, client_context
from tests.unbreakable.conversations import Conversation, record
from tests.unbreakable.mutations import mutate
from tests.unbreakable.support import ArchiveProcess, ct, number_from, settled

_CASES = number_from("PACS_SANDBOX_FUZZ_DOOR_CASES", 400)
_SEED = number_from("PACS_SANDBOX_FUZZ_SEED", 1)
_AT_ONCE = 4
_BATCH = 50
_HANG_S = 30.0
_PATIENCE_S = 0.1
_MORE_MEMORY = 128 << 20
_STUDY = "1.2.3.78"
_HOSTILE = (
    b"",
    b"\0",
    b"\r\n",
    b"%00",
    b"../" * 20,
    b"%2e%2e%2f" * 8,
    b"A" * 5000,
    b"9" * 400,
    b"-1",
    b"'; DROP TABLE studies; --",
    b"\xff\xfe\xfd",
    b"*" * 300,
    b"99999999999999999999",
    b"\r\nContent-Length: 7\r\n",
    b"multipart/related; boundary=",
    b"{{7*7}}",
)

Play = Callable[[int], str]


def in_batches(archive: ArchiveProcess, play: Play, alive: Callable[[], None]) -> None:
    """Play all cases, several at once; a failure names seed, case and what was sent."""
    for start in range(0, _CASES, _BATCH):
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            wrong = [words for words in pool.map(play, range(start, min(start + _BATCH, _CASES))) if words]
        wrong += archive.unexpected()
        assert not wrong, "\n\n".join([f"seed {_SEED}, cases from {start}", *wrong])[:20_000]
        alive()


def finish(connection: socket.socket, patience_s: float = _PATIENCE_S) -> bytes:
    """What it answers before it ends the connection, which it must once we have nothing more to say: after its first
    words, or after ``patience_s`` without one."""
    answer = b""
    if select.select([connection], [], [], patience_s)[0]:
        answer = connection.recv(1 << 16)
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
    while piece := connection.recv(1 << 20):
        answer += piece[: 1 << 16]
    return answer


def spoil(generator: random.Random, data: bytes) -> bytes:
    """The same bytes with something wrong."""
    changed = bytearray(data)
    for _ in range(generator.choice((1, 1, 2, 4))):
        at = generator.randrange(len(changed) + 1)
        match generator.randrange(5):
            case 0 if at < len(changed):
                changed[at] ^= 1 << generator.randrange(8)
            case 1:
                del changed[at:]
            case 2:
                changed[at:at] = generator.choice(_HOSTILE)
            case 3:
                end = min(len(changed), at + generator.randrange(1, 40))
                changed[at:end] = generator.choice(_HOSTILE)
            case _:
                changed[at:at] = generator.randbytes(generator.randrange(1, 60))
    return bytes(changed)


# --- TLS ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def secure(tmp_path: Path, authority: Authority) -> Iterator[ArchiveProcess]:
    identity = authority.issue(tmp_path / "certificate", "ARCHIVE", ("127.0.0.1", "localhost"))
    files = ("--cert", str(identity.certificate), "--key", str(identity.key), "--ca", str(authority.ready()))
    options = ("--tls-port", "0", *files)
    with serve_archive(ServeOptions(ae_title="WS1", directory=tmp_path / "ws1", sync="normal")) as workstation:
        at = workstation.describe()
        remotes = (f"WS1={at.host}:{at.port}",)
        with ArchiveProcess(tmp_path / "archive", remotes=remotes, options=options) as archive:
            yield archive


def hello(context: ssl.SSLContext) -> bytes:
    """A ClientHello, as a client sends it first."""
    out = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="localhost").do_handshake()
    return out.read()


@pytest.mark.timeout(0)
def test_nothing_that_is_sent_to_the_tls_port_does_it_harm(secure: ArchiveProcess, authority: Authority) -> None:
    context = client_context(TlsPolicy(None, authority.ready()))
    conversations = tuple(record(secure).values())
    port = secure.ready["tls_port"]

    def play(number: int) -> str:
        generator = random.Random(f"{_SEED}:tls:{number}")
        with socket.create_connection(("127.0.0.1", port), _HANG_S) as plain:
            sent: Sequence[bytes] = ()
            try:
                if generator.random() < 0.3:
                    sent = (spoil(generator, hello(context)),)
                    plain.sendall(sent[0])
                    finish(plain)
                else:
                    sent = mutate(generator, conversations)
                    say(context, plain, sent)
            except TimeoutError:
                return f"case {number}: it did not end the connection\n{[one[:2000].hex() for one in sent[:20]]}"
            except OSError:
                pass
        return ""

    def alive() -> None:
        with (
            socket.create_connection(("127.0.0.1", port), _HANG_S) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as tls,
        ):
            tls.sendall(conversations[0][0])
            assert tls.recv(1)[0] == 2
        secure.echo(_HANG_S)

    alive()
    before = secure.usage()
    in_batches(secure, play, alive)
    # One that is gone may still be served while the next case is under way.
    settled(secure, before, more_memory=_MORE_MEMORY, readers=4 * _AT_ONCE)


def say(context: ssl.SSLContext, plain: socket.socket, pdus: Conversation) -> None:
    """Send PDUs within a session, and wait for its end."""
    with context.wrap_socket(plain, server_hostname="localhost") as tls:
        tls.sendall(pdus[0])
        if len(pdus[0]) > 74 and pdus[0][0] == 1:
            # A request that is answered is answered before more comes, as it is with a real peer.
            select.select([tls], [], [], _PATIENCE_S)
        tls.sendall(b"".join(pdus[1:]))
        socket.socket.shutdown(tls, socket.SHUT_WR)
        while tls.recv(1 << 20):
            pass


# --- DICOMweb -----------------------------------------------------------------------------------------------------


def corpus(place: str) -> tuple[bytes, ...]:
    """Requests that are answered, one for each kind."""
    study, series, instance = (f"{_STUDY}{end}" for end in ("", ".1", ".1.1"))
    paths = (
        "/studies",
        f"/studies?StudyInstanceUID={study}&includefield=all&limit=3&offset=0",
        "/studies?PatientName=SMI*&StudyDate=20200101-20301231&fuzzymatching=false",
        f"/studies/{study}/series?Modality=CT",
        f"/studies/{study}/metadata",
        f"/studies/{study}",
        f"/studies/{study}/series/{series}/instances/{instance}",
        f"/studies/{study}/series/{series}/instances/{instance}/frames/1",
        f"/studies/{study}/series/{series}/instances/{instance}/rendered?quality=50&viewport=64,64",
        f"/studies/{study}/series/{series}/instances/{instance}/bulkdata/7FE00010",
        f"/wado?requestType=WADO&studyUID={study}&seriesUID={series}&objectUID={instance}",
    )
    base = urlsplit(place)
    head = f"Host: {base.netloc}\r\nConnection: close\r\n"
    made = [f"GET {base.path}{path} HTTP/1.1\r\n{head}Accept: */*\r\n\r\n".encode() for path in paths]
    made.append(f"OPTIONS {base.path}/studies HTTP/1.1\r\n{head}Origin: http://localhost:3000\r\n\r\n".encode())
    file = part10_bytes(ct("1.2.3.79", "1.2.3.79.1", "1.2.3.79.1.1", b"sent" * 50))
    body = b"--here\r\nContent-Type: application/dicom\r\n\r\n" + file + b"\r\n--here--\r\n"
    kind = 'multipart/related; type="application/dicom"; boundary=here'
    upload = f"POST {base.path}/studies HTTP/1.1\r\n{head}Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return (*made, *(upload.encode() + body for _ in range(3)))


def send_http(port: int, request: bytes, patience_s: float = _PATIENCE_S) -> bytes:
    with socket.create_connection(("127.0.0.1", port), _HANG_S) as connection:
        try:
            connection.sendall(request)
            return finish(connection, patience_s)
        except TimeoutError:
            raise
        except OSError:
            return b""


@pytest.mark.timeout(0)
def test_nothing_that_is_asked_over_http_does_it_harm(tmp_path: Path) -> None:
    with ArchiveProcess(tmp_path / "archive", options=("--http-port", "0")) as archive:
        with archive.associate() as association:
            assert association.store(ct(_STUDY, f"{_STUDY}.1", f"{_STUDY}.1.1", b"kept" * 1000)).status == 0
        place = archive.ready["dicomweb"]
        port = int(urlsplit(place).port or 0)
        requests = corpus(place)

        def play(number: int) -> str:
            generator = random.Random(f"{_SEED}:http:{number}")
            request = spoil(generator, generator.choice(requests))
            try:
                answer = send_http(port, request)
            except TimeoutError:
                return f"case {number}: it did not end the connection\n{request[:4000]!r}"
            status = re.match(rb"HTTP/1\.[01] (\d{3})", answer)
            if (answer and status is None) or (status is not None and status[1] == b"500"):
                return f"case {number}: {answer[:300]!r}\n{request[:4000]!r}"
            return ""

        def alive() -> None:
            with urlopen(f"{place}/studies?StudyInstanceUID={_STUDY}", timeout=_HANG_S) as answer:
                assert answer.status == 200
                assert _STUDY.encode() in answer.read()

        for request in requests:
            assert re.match(rb"HTTP/1\.1 (20\d|406)", answer := send_http(port, request, _HANG_S)), (
                request,
                answer[:500],
            )
        alive()
        before = archive.usage()
        in_batches(archive, play, alive)
        settled(archive, before, more_memory=_MORE_MEMORY, readers=4 * _AT_ONCE)
        archive.echo(_HANG_S)
