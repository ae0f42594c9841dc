"""The same archives as those of the archive's own tests, and how they are left behind by a crash."""

from __future__ import annotations

from tests.archive.conftest import archive, index_url

__all__ = ("archive", "index_url")
