"""The threads of a port: one waits whenever another serves, few stay, and all end when told to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from sandbox.dicom.accepting import MOST_WAITING, Doorkeepers
from tests.dicom.support import free_listener, wait_until

NAME = "doorkeepers under test"


class Served:
    """Callers are kept until ``go``."""

    def __init__(self) -> None:
        self.listener = free_listener()
        self.listener.listen()
        self.port = self.listener.getsockname()[1]
        self.go = threading.Event()
        self.threads: list[int] = []
        self.keepers = Doorkeepers(self.listener, self.serve, NAME)
        self.keepers.start()

    def serve(self, connection: socket.socket, address: tuple[str, int]) -> None:
        assert address[0] == "127.0.0.1"
        self.threads.append(threading.get_ident())
        with connection:
            assert self.go.wait(30)

    def call(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), 10)


def alive() -> int:
    return sum(thread.name == NAME for thread in threading.enumerate())


@pytest.fixture
def served() -> Iterator[Served]:
    made = Served()
    yield made
    made.go.set()
    made.keepers.stop()
    made.keepers.join(10)
    made.listener.close()
    assert alive() == 0


def test_nobody_waits_for_another_and_few_threads_stay(served: Served) -> None:
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(served.call())
        wait_until(lambda: len(served.threads) == 20, 20)
        assert len(set(served.threads)) == 20
        served.go.set()
        wait_until(lambda: alive() <= MOST_WAITING, 20)


def test_a_thread_serves_one_after_another(served: Served) -> None:
    served.go.set()
    for _ in range(30):
        with served.call() as caller:
            assert caller.recv(1) == b""
    assert len(set(served.threads)) <= 2 * MOST_WAITING


def test_one_that_fails_is_closed_and_the_next_served(caplog: pytest.LogCaptureFixture) -> None:
    def fail(connection: socket.socket, address: tuple[str, int]) -> None:
        raise RuntimeError("out of order")

    with free_listener() as listener:
        listener.listen()
        keepers = Doorkeepers(listener, fail, NAME)
        keepers.start()
        for _ in range(3):
            with socket.create_connection(listener.getsockname(), 10) as caller:
                assert caller.recv(1) == b""
        keepers.stop()
        keepers.join(10)
    assert alive() == 0
    assert len([one for one in caplog.records if "cannot serve" in one.message]) == 3


def test_stopping_does_not_wait_for_those_who_are_served(served: Served) -> None:
    with served.call():
        wait_until(lambda: served.threads, 20)
        served.keepers.stop()
        assert alive() == 1
        served.keepers.join(0.01)
        assert alive() == 1
