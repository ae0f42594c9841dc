"""Who could reach the console, and by which names it may be addressed."""

from __future__ import annotations

from pathlib import Path

import pytest

from web.options import LOOPBACK_NAMES, Options


@pytest.mark.parametrize(
    ("host", "exposed"),
    [
        ("127.0.0.1", False),
        ("localhost", False),
        ("::1", False),
        ("[::1]", False),
        ("0.0.0.0", True),
        ("::", True),
        ("192.0.2.7", True),
        ("training.example", True),
    ],
)
def test_only_loopback_needs_no_login(host: str, exposed: bool) -> None:
    assert Options(directory=Path(), host=host).exposed is exposed


def test_a_container_published_on_loopback_is_like_one() -> None:
    options = Options(directory=Path(), host="0.0.0.0", published_on_loopback=True)
    assert not options.exposed
    assert options.hosts == LOOPBACK_NAMES
