"""The servers that are compared, each in a process of its own: ours, and pynetdicom as it comes."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

AE_TITLE = "ARCHIVE"
Serve = Callable[[Path, "multiprocessing.connection.Connection"], None]


def serve_ours(directory: Path, ready: multiprocessing.connection.Connection) -> None:
    """`archive serve`: durable file and index before it says success."""
    from sandbox.archive.serve import ServeOptions, serve_archive

    archive = serve_archive(ServeOptions(ae_title=AE_TITLE, directory=directory))
    archive.wait(lambda: ready.send(archive.describe().port))


def serve_stock(directory: Path, ready: multiprocessing.connection.Connection) -> None:
    """pynetdicom's public API: accepts, writes the file, keeps no index."""
    from pynetdicom import AE, AllStoragePresentationContexts, evt
    from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

    def store(event: evt.Event) -> int:
        (directory / f"{event.request.AffectedSOPInstanceUID}.dcm").write_bytes(event.encoded_dataset())
        return 0

    ae = AE(AE_TITLE)
    ae.supported_contexts = AllStoragePresentationContexts
    ae.add_supported_context(Verification)
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, store)])
    ready.send(server.server_address[1])
    threading.Event().wait()


@contextmanager
def running(serve: Serve) -> Iterator[int]:
    """A server in its own process; gives its port."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    with tempfile.TemporaryDirectory(prefix="pacs-sandbox-bench-") as directory:
        process = context.Process(target=serve, args=(Path(directory), there), daemon=True)
        process.start()
        try:
            if not here.poll(30):
                raise RuntimeError(f"{serve.__name__} did not start within 30 s")
            yield int(here.recv())
        finally:
            process.terminate()
            process.join(10)
