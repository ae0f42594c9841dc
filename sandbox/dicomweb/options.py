"""How DICOMweb is offered: where its paths begin, who may ask, and how large a request or an answer may be."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from sandbox.model.base import Model

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+\Z")


class WebOptions(Model):
    """``prefix`` is where the service's paths begin, ``public_url`` how clients reach it when a proxy stands between.

    ``token`` empty asks for none. ``origins`` are the web pages that may read answers (CORS); none by default, "*" is
    every page. ``host_names`` empty takes any Host header; the names of loopback keep web pages out that resolve their
    own name to this machine. ``largest_upload`` is in bytes, ``most_results`` is the longest page of a search.
    """

    prefix: str = Field("/dicom-web", pattern=r"^(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$")
    public_url: str = Field("", pattern=r"^(https?://[^\s?#]+)?$")
    token: str = Field("", pattern=r"^[\x21-\x7e]*$")
    origins: tuple[str, ...] = ()
    host_names: frozenset[str] = LOOPBACK_NAMES
    largest_upload: int = Field(4 << 30, ge=1)
    most_results: int = Field(5000, ge=1)

    @field_validator("origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if origin != "*" and not _ORIGIN.match(origin):
                raise ValueError(
                    f"{origin!r} is no origin; write it as https://viewer.example or http://localhost:3000"
                )
        return origins
