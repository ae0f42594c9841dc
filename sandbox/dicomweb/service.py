"""What every transaction is given: the archive, the options, and the words of the request that all of them read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from flask import request

from sandbox.archive.archive import Archive
from sandbox.archive.uids import is_uid
from sandbox.dicom.contract import StoredObject
from sandbox.dicomweb.accept import Choice, Offer, choose, parse_accept
from sandbox.dicomweb.options import LOOPBACK_NAMES, WebOptions
from sandbox.dicomweb.problems import not_acceptable
from sandbox.model.errors import BadInputError, NotFoundError


@dataclass(frozen=True)
class Service:
    """One archive as it is offered over HTTP."""

    archive: Archive
    options: WebOptions = field(default_factory=WebOptions)

    def base_url(self) -> str:
        """Where this service's paths begin, as the client that asks now can reach it."""
        if self.options.public_url:
            return self.options.public_url.rstrip("/") + self.options.prefix
        root, port = request.url_root.rstrip("/"), request.environ.get("SERVER_PORT", "")
        if request.host in LOOPBACK_NAMES and port not in ("", "80"):
            # Some clients leave the port out of the Host header; on loopback no proxy can be the reason.
            root = f"{root}:{port}"
        return root + self.options.prefix

    def url(self, study: str, series: str = "", instance: str = "", rest: str = "") -> str:
        """The address of a study, a series or an instance, or of something below it."""
        named = (("studies", study), ("series", series), ("instances", instance))
        path = "".join(f"/{kind}/{quote(uid)}" for kind, uid in named if uid)
        return f"{self.base_url()}{path}{rest}"

    def choice(self, offers: Sequence[Offer], words: str, asked: str = "") -> Choice:
        """What the client gets of ``offers``, by ``asked``, the accept parameter (PS3.18 8.3.3.1) or its Accept header.

        Raises HttpError 406 with ``words``, which say what there is.
        """
        # In a query a plus sign is a space, unless it is escaped; few do.
        named = request.args.get("accept", "").replace("dicom json", "dicom+json")
        asked = asked or named or request.headers.get("Accept", "")
        found = choose(parse_accept(asked), offers)
        if found is None:
            raise not_acceptable(words)
        return found

    def stored(self, study: str, series: str = "", instance: str = "") -> tuple[StoredObject, ...]:
        """The instances of a study, of a series, or one. Raises NotFoundError if there is no such thing."""
        check_uids(study, *(uid for uid in (series, instance) if uid))
        found = self.archive.objects(study, series, instance)
        if not found:
            kind, uid = ("instance", instance) if instance else ("series", series) if series else ("study", study)
            raise NotFoundError(f"There is no {kind} {uid} here.", "Search for what there is.")
        return found


def check_uids(*uids: str) -> None:
    """Raises BadInputError for what is no UID."""
    for uid in uids:
        if not is_uid(uid):
            raise BadInputError(f"{uid[:80]!r} is no UID.", "A UID is at most 64 digits and dots (PS3.5 9.1).")
