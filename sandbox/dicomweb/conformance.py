"""What DICOMweb says in the archive's conformance statement (PS3.2), made of the routes and tables it is served by."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from sandbox.archive.archive import Archive
from sandbox.archive.conformance.tables import table, wrapped
from sandbox.dicom.explain import uid_name
from sandbox.dicomweb.app import create_app
from sandbox.dicomweb.frames import MEDIA_TYPES
from sandbox.dicomweb.options import WebOptions
from sandbox.dicomweb.queries import DICOM_JSON, always_returned
from sandbox.dicomweb.rendered import JPEG, PNG
from sandbox.dicomweb.retrieve import DICOM, OCTETS

_RELATED = "multipart/related; type="
TRANSACTIONS: dict[str, tuple[str, str]] = {
    "search": ("Search (QIDO-RS, PS3.18 10.6)", f"{DICOM_JSON}, application/json"),
    "retrieve": ("Retrieve instances (WADO-RS, 10.4)", f"{_RELATED}{DICOM}; one instance: {DICOM}"),
    "metadata": ("Retrieve metadata (10.4.1.1.5)", f"{DICOM_JSON}, application/json"),
    "bulk": ("Retrieve bulk data (10.4.1.1.6)", f"{_RELATED}{OCTETS}, {OCTETS}"),
    "frames": ("Retrieve frames (10.4.1.1.4)", f"{_RELATED}{OCTETS} or the media type below"),
    "rendered": ("Retrieve rendered (10.4.1.1.3)", f"{JPEG}, {PNG}; several frames in multipart/related"),
    "thumbnail": ("Retrieve thumbnail", f"{JPEG}, {PNG}"),
    "store": ("Store (STOW-RS, 10.5)", f"{DICOM_JSON}, application/json; takes {_RELATED}{DICOM}, or {DICOM}"),
    "WADO-URI": ("WADO-URI (PS3.18 9)", f"{JPEG}, {PNG}, {DICOM}"),
}
"""Each transaction by the first word of its routes' names: what it is called, and its media types."""


def web_section(options: WebOptions) -> str:
    """Section 4.5 of a statement, for an archive that serves DICOMweb with ``options``."""
    frames = [(uid_name(uid), media) for uid, media in MEDIA_TYPES.items()]
    always = [(str(level), ", ".join(keywords)) for level, keywords in always_returned().items()]
    return "\n\n".join(
        (
            "### 4.5 DICOMweb services",
            wrapped(
                "Origin server over HTTP/1.1, in the clear; TLS is a proxy's in front of it. "
                f"{'A bearer token is needed.' if options.token else 'No token is needed on loopback, one beyond it.'} "
                "Pages of other origins may read only where they were named (CORS). Answers are not to be kept by "
                f"caches. An upload may have {options.largest_upload} bytes, a page of a search "
                f"{options.most_results} results."
            ),
            table(("transaction", "method", "resource", "media types of the answer"), routes(options)),
            wrapped(
                "Searches match as C-FIND does (4.2.4), with the keys of the level and of those above by keyword, tag "
                "or path into a sequence; includefield (also `all`), limit and offset. Fuzzy, empty value and multiple "
                "value matching are not done, which a Warning header says. Text is UTF-8. Always returned:"
            ),
            table(("level", "attributes"), always),
            wrapped(
                "Instances are had as stored or, where there is a decoder, in explicit VR little endian, which is also "
                "the default. Frames as stored have these media types:"
            ),
            table(("stored in", "media type"), frames),
            wrapped(
                "Storing gives the statuses of C-STORE in the Failed SOP Sequence; 200 when all was stored, 202 when "
                "some was, 409 when nothing was. Capabilities, notifications, worklists (UPS-RS) and XML are not "
                "supported."
            ),
        )
    )


def routes(options: WebOptions) -> list[tuple[str, ...]]:
    """The resources as the application serves them: transaction, method, path, media types."""
    with TemporaryDirectory() as folder, Archive(Path(folder), ae_title="ANY") as archive:
        rules = list(create_app(archive, options).url_map.iter_rules())
    rows: list[tuple[str, ...]] = []
    for rule in sorted(rules, key=lambda one: (list(TRANSACTIONS).index(one.endpoint.split(" ")[0]), one.rule)):
        name, media = TRANSACTIONS[rule.endpoint.split(" ")[0]]
        methods = sorted(set(rule.methods or ()) - {"HEAD", "OPTIONS"})
        path = rule.rule.replace("<path:path>", "<path>").replace("<", "{").replace(">", "}")
        rows.append((name, ", ".join(methods), f"`{path}`", media))
    return rows
