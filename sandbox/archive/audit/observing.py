"""Where the audit trail hears of what an archive does: from its services, its associations and its administration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sandbox.archive.archive import Archive, StoredInstance
from sandbox.archive.attributes import AT_LEVEL, UNIQUE_KEY, Attribute, Level
from sandbox.archive.audit import messages as m
from sandbox.archive.audit.messages import Action, Message, Outcome, Participant, Study, Told
from sandbox.archive.audit.trail import AuditTrail, peer_of
from sandbox.archive.index.changes import InstanceRow
from sandbox.archive.operations.operation import Kind, Operation
from sandbox.archive.operations.operation import Outcome as Done
from sandbox.archive.recovery import record_of
from sandbox.dicom.contract import FindAnswer, Observer, Query, RetrievePlan, Services
from sandbox.dicom.explain import explain_rejection, explain_status
from sandbox.dicom.negotiation import CALLING_AE_UNKNOWN
from sandbox.model.association import AssociationFacts, Caller, Exchange, Rejection, Side

ACTIONS: dict[Kind, Action | None] = {
    Kind.DELETE: Action.DELETE,
    Kind.RESTORE: Action.CREATE,
    Kind.EMPTY_BIN: None,
    Kind.REINDEX: None,
    Kind.MEND_ORPHANS: None,
    Kind.EDIT: Action.UPDATE,
    Kind.MERGE: Action.UPDATE,
    Kind.SPLIT: Action.UPDATE,
    Kind.MOVE: Action.UPDATE,
    Kind.REJECT: Action.DELETE,
    Kind.UNDO: Action.UPDATE,
    Kind.EXPORT: Action.READ,
}
"""What each operation does to the studies it touches; None: it is about no study, and told as a restricted function."""

_WANTED: tuple[Attribute, ...] = tuple(
    attribute
    for level in (Level.PATIENT, Level.STUDY)
    for attribute in AT_LEVEL[level]
    if attribute.keyword in ("PatientID", "IssuerOfPatientID", "PatientName", "AccessionNumber")
)


@dataclass(frozen=True)
class _Retrieve:
    plan: RetrievePlan
    destination: str


class Auditor:
    """Tells ``trail`` of everything that happens to ``archive``."""

    def __init__(self, archive: Archive, trail: AuditTrail) -> None:
        self._archive = archive
        self._trail = trail
        self._asked: dict[str, Query] = {}
        self._retrieving: dict[str, _Retrieve] = {}
        archive.watchers.append(self._stored)
        archive.followers.append(self._operated)

    def services(self, services: Services) -> Services:
        """The same services, heard of."""
        return replace(
            services,
            find=services.find and self._find(services.find),
            move=services.move and self._move(services.move),
            get=services.get and self._get(services.get),
        )

    def observer(self, inner: Observer) -> Observer:
        """The same observer, heard of."""
        return _AuditObserver(inner, self)

    # --- services -------------------------------------------------------------------------------------------------

    def _find(self, find: Callable[[Query], Iterator[FindAnswer]]) -> Callable[[Query], Iterator[FindAnswer]]:
        def heard(query: Query) -> Iterator[FindAnswer]:
            self._asked[query.facts.id] = query
            return find(query)

        return heard

    def _move(self, move: Callable[[Query, str], RetrievePlan]) -> Callable[[Query, str], RetrievePlan]:
        return lambda query, destination: self._planned(query, move(query, destination), destination)

    def _get(self, get: Callable[[Query], RetrievePlan]) -> Callable[[Query], RetrievePlan]:
        return lambda query: self._planned(query, get(query), "")

    def _planned(self, query: Query, plan: RetrievePlan, destination: str) -> RetrievePlan:
        if plan.objects and not plan.status:
            self._retrieving[query.facts.id] = _Retrieve(plan, destination)
            self._trail.retrieving(query, plan, destination, self._studies_of)
        return plan

    # --- associations ---------------------------------------------------------------------------------------------

    def exchanged(self, facts: AssociationFacts, exchange: Exchange) -> None:
        """A request has its final answer."""
        if exchange.service == "C-FIND" and (query := self._asked.pop(facts.id, None)) is not None:
            self._trail.queried(query, *_ending(exchange))
        elif exchange.service in ("C-MOVE", "C-GET") and (sent := self._retrieving.pop(facts.id, None)) is not None:
            self._trail.retrieved(facts, sent.plan, sent.destination, self._studies_of, *_ending(exchange))

    def ended(self, facts: AssociationFacts) -> None:
        """An association is over."""
        self._asked.pop(facts.id, None)
        self._retrieving.pop(facts.id, None)
        self._trail.ended(facts)

    def rejected(self, facts: AssociationFacts, rejection: Rejection) -> None:
        """An association was refused. That of an unknown caller is an alert."""
        if rejection == CALLING_AE_UNKNOWN:
            words = f"{explain_rejection(rejection).name} ({rejection})"
            who = peer_of(facts)
            self._trail.alert(m.NODE_AUTHENTICATION, Outcome.MINOR_FAILURE, who, who.address or who.user_id, words)

    def unspoken(self, caller: Caller, reason: str) -> None:
        """A connection came to nothing. A TLS handshake that failed is an alert."""
        if "TLS" in reason:
            who = Participant(caller.node or caller.host, True, address=caller.host)
            self._trail.alert(m.NODE_AUTHENTICATION, Outcome.MINOR_FAILURE, who, caller.host, reason)

    def _stored(self, stored: StoredInstance) -> None:
        header = stored.header
        self._trail.arrived(
            stored.request.facts,
            stored.study_uid,
            stored.request.sop_class,
            lambda: Study(
                stored.study_uid,
                header.get_keyword("PatientID"),
                header.get_keyword("PatientName"),
                header.get_keyword("AccessionNumber"),
            ),
        )

    # --- administration -------------------------------------------------------------------------------------------

    def _operated(self, operation: Operation, done: Done, by: str) -> None:
        action = ACTIONS[done.kind]

        def make(told: Told, archive: Participant) -> Iterable[Message]:
            who = Participant(by, True)
            studies = self._touched(done)
            if action is None or not studies:
                # Nothing was changed, or what was changed is of no study.
                words = f"{done.sentence} Reason: {operation.reason}"
                return [m.security_alert(told, m.RESTRICTED_FUNCTION, archive, (who,), told.source, words)]
            told = replace(told, description=f"{done.sentence} Reason: {operation.reason}")
            gone = [one for one in studies if done.kind is Kind.DELETE and self._whose(one.uid) is None]
            left = [one for one in studies if one not in gone]
            return [
                *(m.study_deleted(told, who, archive, study) for study in gone),
                *([m.accessed(told, action, who, archive, left)] if left else []),
            ]

        self._trail.operated(make)

    def _touched(self, done: Done) -> list[Study]:
        """The studies that an operation touched, as they were."""
        rows = [item.row for item in self._archive.bench.items(done.entry)] if done.entry else []
        counted = self._counted(rows)
        return counted or [one for uid in done.studies if (one := self._whose(uid)) is not None]

    # --- looking up -----------------------------------------------------------------------------------------------

    def _studies_of(self, sop_instances: Sequence[str]) -> list[Study]:
        return self._counted(self._archive.bench.rows_of(list(sop_instances)))

    def _counted(self, rows: Iterable[InstanceRow]) -> list[Study]:
        of_study: dict[str, dict[str, InstanceRow]] = {}
        for row in rows:
            # Edited instances are there twice, as they were and as they are.
            of_study.setdefault(row.study_uid, {})[row.sop_instance] = row
        return [
            replace(
                self._whose(uid) or self._from_files(uid, found.values()),
                sop_classes=dict(Counter(row.sop_class for row in found.values())),
            )
            for uid, found in of_study.items()
        ]

    def _whose(self, study_uid: str) -> Study | None:
        """The study as the index has it."""
        found = self._archive.search(Level.STUDY, {UNIQUE_KEY[Level.STUDY]: study_uid}, _WANTED, limit=1).values
        if not found:
            return None
        values = {attribute.keyword: found[0].get(attribute.tag, "") for attribute in _WANTED}
        return Study(
            study_uid,
            values["PatientID"],
            values["PatientName"],
            values["AccessionNumber"],
            issuer=values["IssuerOfPatientID"],
        )

    def _from_files(self, study_uid: str, rows: Iterable[InstanceRow]) -> Study:
        """One that is not in the index any more, as a file of it in the bin says."""
        for row in rows:
            path = self._archive.files.path(row.file) if row.file else None
            if path is not None and path.is_file():
                header = record_of(path, "").header
                return Study(
                    study_uid,
                    header.get_keyword("PatientID"),
                    header.get_keyword("PatientName"),
                    header.get_keyword("AccessionNumber"),
                    issuer=header.get_keyword("IssuerOfPatientID"),
                )
        return Study(study_uid)


class _AuditObserver:
    """Hands everything on, and tells the auditor of what it wants to know."""

    def __init__(self, inner: Observer, auditor: Auditor) -> None:
        self._inner = inner
        self._auditor = auditor
        # What the auditor does not want is as quick as without it.
        self.requested = inner.requested
        self.failed = inner.failed
        self.accepted = inner.accepted
        self.pdu = inner.pdu

    def rejected(self, facts: AssociationFacts, rejection: Rejection) -> None:
        self._inner.rejected(facts, rejection)
        if facts.side is Side.ACCEPTOR:
            self._auditor.rejected(facts, rejection)

    def released(self, facts: AssociationFacts) -> None:
        self._inner.released(facts)
        self._auditor.ended(facts)

    def aborted(self, facts: AssociationFacts, reason: str) -> None:
        self._inner.aborted(facts, reason)
        self._auditor.ended(facts)

    def exchanged(self, facts: AssociationFacts, exchange: Exchange) -> None:
        self._inner.exchanged(facts, exchange)
        self._auditor.exchanged(facts, exchange)

    def unspoken(self, caller: Caller, reason: str) -> None:
        self._inner.unspoken(caller, reason)
        self._auditor.unspoken(caller, reason)


def _ending(exchange: Exchange) -> tuple[Outcome, str]:
    """How an exchange ended, for a message about it."""
    words = explain_status(exchange.service, exchange.status).name
    if exchange.status == 0:
        return Outcome.SUCCESS, ""
    is_minor = exchange.status == 0xFE00 or exchange.status >> 12 == 0xB
    told = f"{words} ({exchange.status & 0xFFFF:04X})" if exchange.status >= 0 else words
    return (Outcome.MINOR_FAILURE if is_minor else Outcome.SERIOUS_FAILURE), told
