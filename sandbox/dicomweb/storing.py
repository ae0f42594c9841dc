"""STOW-RS (PS3.18 10.5): instances in, each by ``Archive.store``, so that they meet the refusals of a C-STORE.

One instance is received and stored after the other; large ones wait in an unnamed file on the archive's disk. The
answer says of each what became of it (annex I): stored, stored with a warning, or refused with the C-STORE's status.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from flask import Flask, Response, request

from sandbox.archive.contexts import archive_contexts
from sandbox.archive.header import UnreadableError, read_header
from sandbox.archive.part10 import FileMeta, NotPart10Error, read_meta
from sandbox.archive.uids import is_uid
from sandbox.dicom.contract import StoreRequest
from sandbox.dicomweb import json_model
from sandbox.dicomweb.accept import RELATED, MediaRange, parse_media
from sandbox.dicomweb.json_model import JsonObject
from sandbox.dicomweb.multipart import PIECE, CutOffError, ReceivedPart, received_parts
from sandbox.dicomweb.problems import HttpError
from sandbox.dicomweb.queries import JSON_OFFERS, JSON_WORDS
from sandbox.dicomweb.service import Service, check_uids
from sandbox.model.association import AssociationFacts, Side
from sandbox.model.errors import BadInputError

DICOM = "application/dicom"

PROCESSING_FAILURE = 0x0110
SOP_CLASS_NOT_SUPPORTED = 0x0122
MISMATCH = 0xA900
CANNOT_UNDERSTAND = 0xC000
_WARNINGS = range(0xB000, 0xC000)

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Outcome:
    """What became of one part: C-STORE's status and what to say of it. Without UIDs it was no instance at all."""

    status: int
    words: str = ""
    sop_class: str = ""
    sop_instance: str = ""
    study: str = ""
    series: str = ""

    @property
    def is_stored(self) -> bool:
        return self.status == 0 or self.status in _WARNINGS


@dataclass
class Outcomes:
    """All parts of an upload, in the order they came."""

    stored: list[Outcome] = field(default_factory=list)
    failed: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        (self.stored if outcome.is_stored else self.failed).append(outcome)

    @property
    def http_status(self) -> int:
        """200 when all is well, 202 when some of it is, 409 when nothing was stored (10.5.3.1)."""
        if not self.stored:
            return 409
        return 202 if self.failed or any(outcome.status for outcome in self.stored) else 200


def add_routes(app: Flask, service: Service) -> None:
    supported = {context.abstract_syntax: frozenset(context.transfer_syntaxes) for context in archive_contexts()}
    for path in ("/studies", "/studies/<study>"):
        app.add_url_rule(service.options.prefix + path, f"store {path}", _store(service, supported), methods=["POST"])


def _store(service: Service, supported: dict[str, frozenset[str]]) -> Callable[..., Response]:
    def view(study: str = "") -> Response:
        if study:
            check_uids(study)
        media = service.choice(JSON_OFFERS, JSON_WORDS).offer.media
        facts = _facts()
        found = Outcomes()
        try:
            for part in _parts(service):
                found.add(_stored_part(service, part, facts, study, supported))
        except CutOffError as cut:
            if not (found.stored or found.failed):
                raise
            found.add(Outcome(CANNOT_UNDERSTAND, cut.sentence))
        if not (found.stored or found.failed):
            raise BadInputError("The upload holds no instance.", f"Send parts of {DICOM}.")
        answer = Response(json.dumps(_response(service, found)), found.http_status, mimetype=media)
        for words in dict.fromkeys(outcome.words for outcome in found.failed if outcome.words):
            answer.headers.add("Warning", f"299 {service.base_url()}: {words}".encode("ascii", "replace").decode())
        return answer

    return view


def _parts(service: Service) -> Iterator[ReceivedPart]:
    """The parts of the request's body; a body that is one instance is one part."""
    content = parse_media(request.headers.get("Content-Type", ""))
    stream = cast(BinaryIO, request.stream)
    if content.media == DICOM:
        whole = ReceivedPart(service.archive.directory, {"content-type": DICOM})
        try:
            while piece := stream.read(PIECE):
                whole.write(piece)
            yield whole
        finally:
            whole.close()
        return
    if not _is_taken(content):
        raise HttpError(
            415,
            f"An upload of {content.media} cannot be taken.",
            f'Send {RELATED}; type="{DICOM}"; metadata and bulk data apart are not supported.',
        )
    yield from received_parts(stream, content.parameters.get("boundary", ""), service.archive.directory)


def _is_taken(content: MediaRange) -> bool:
    return content.media == RELATED and content.parameters.get("type", DICOM).lower() == DICOM


def _stored_part(
    service: Service,
    part: ReceivedPart,
    facts: AssociationFacts,
    study: str,
    supported: dict[str, frozenset[str]],
) -> Outcome:
    if part.content_type and parse_media(part.content_type).media != DICOM:
        return Outcome(CANNOT_UNDERSTAND, f"A part is not {DICOM}.")
    with part.view() as whole:
        try:
            meta = read_meta(whole)
        except (NotPart10Error, ValueError) as wrong:
            return Outcome(CANNOT_UNDERSTAND, f"A part is no DICOM file: {wrong}")
        with whole[meta.offset :] as dataset:
            return _stored_instance(service, meta, dataset, facts, study, supported)


def _stored_instance(
    service: Service,
    meta: FileMeta,
    dataset: memoryview,
    facts: AssociationFacts,
    study: str,
    supported: dict[str, frozenset[str]],
) -> Outcome:
    """As an association would: the SOP class and transfer syntax must be among those that are accepted. A file whose
    meta information does not name its instance is taken by the word of its data set."""
    named = Outcome(0, "", meta.sop_class, meta.sop_instance)
    try:
        header = read_header(dataset, meta.transfer_syntax)
    except UnreadableError as wrong:
        return _failed(named, CANNOT_UNDERSTAND, f"{wrong}.")
    sop_class = meta.sop_class or header.get_keyword("SOPClassUID")
    sop_instance = meta.sop_instance or header.get_keyword("SOPInstanceUID")
    if not is_uid(sop_class) or not is_uid(sop_instance):
        return Outcome(CANNOT_UNDERSTAND, "A part does not say which instance it is.")
    named = Outcome(0, "", sop_class, sop_instance)
    if meta.transfer_syntax not in supported.get(sop_class, frozenset()):
        return _failed(named, SOP_CLASS_NOT_SUPPORTED, "The SOP class or transfer syntax is not supported.")
    of_study, of_series = header.get_keyword("StudyInstanceUID"), header.get_keyword("SeriesInstanceUID")
    if study and of_study != study:
        return _failed(named, MISMATCH, "The instance is of another study than the one that was named.")
    status = service.archive.store(StoreRequest(facts, sop_class, sop_instance, meta.transfer_syntax, dataset))
    words = f"{status.comment}." if status.comment else ""
    return Outcome(status.status, words, sop_class, sop_instance, of_study, of_series)


def _failed(named: Outcome, status: int, words: str) -> Outcome:
    sound = is_uid(named.sop_class) and is_uid(named.sop_instance)
    return Outcome(status, words, named.sop_class if sound else "", named.sop_instance if sound else "")


def _facts() -> AssociationFacts:
    """Who sends, for the archive's log. There are no AE titles in HTTP."""
    host, port = request.environ.get("REMOTE_ADDR", ""), request.environ.get("REMOTE_PORT", "")
    return AssociationFacts(
        id=f"http-{next(_numbers)}",
        node="archive",
        side=Side.ACCEPTOR,
        called_ae="",
        calling_ae="",
        local=request.host,
        peer=f"{host}:{port}",
    )


def _response(service: Service, found: Outcomes) -> JsonObject:
    """The Store Instances Response Module (annex I.2)."""
    told: JsonObject = {}
    studies = {outcome.study for outcome in found.stored}
    if len(studies) == 1:
        told["00081190"] = json_model.element("UR", [service.url(*studies)])
    if named := [outcome for outcome in found.failed if outcome.sop_instance]:
        told["00081198"] = json_model.element("SQ", (_reference(one) | _reason("00081197", one) for one in named))
    if found.stored:
        told["00081199"] = json_model.element("SQ", (_stored_item(service, one) for one in found.stored))
    if others := [outcome for outcome in found.failed if not outcome.sop_instance]:
        told["0008119A"] = json_model.element("SQ", (_reason("00081197", one) for one in others))
    return told


def _stored_item(service: Service, outcome: Outcome) -> JsonObject:
    where = service.url(outcome.study, outcome.series, outcome.sop_instance)
    item = _reference(outcome) | {"00081190": json_model.element("UR", [where])}
    return item | _reason("00081196", outcome) if outcome.status else item


def _reference(outcome: Outcome) -> JsonObject:
    return {
        "00081150": json_model.element("UI", [outcome.sop_class]),
        "00081155": json_model.element("UI", [outcome.sop_instance]),
    }


def _reason(tag: str, outcome: Outcome) -> JsonObject:
    return {tag: json_model.element("US", [outcome.status])}
