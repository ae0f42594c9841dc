"""A node's services with what is wrong with them in front: slow, refusing, forgetting, or giving fewer answers.

Whatever is asked of a sound node goes straight through. Statuses, counts and waits are real: the peer's timeout, its
queue and outside tools meet them on the wire.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from sandbox.archive.attributes import STORED
from sandbox.archive.header import UnreadableError, read_header
from sandbox.archive.incoming import dataset_of
from sandbox.dicom.contract import (
    FindAnswer,
    NormalizedAnswer,
    NormalizedRequest,
    Query,
    RetrievePlan,
    Services,
    StoreRequest,
    StoreStatus,
)
from sandbox.model.association import AssociationFacts
from sandbox.nodes.impairments import InjectedStatus, Service, ServiceImpairments

_REMEMBERED = 500
"""Associations whose requests are counted. Older ones begin anew."""

_SOUND = ServiceImpairments()


class ImpairedServices:
    """Puts ``impairments`` in front of services. ``wait`` sleeps so many seconds, and says True when it was cut short
    because the node ends."""

    def __init__(self, impairments: Callable[[], ServiceImpairments], wait: Callable[[float], bool]) -> None:
        self._impairments = impairments
        self._wait = wait
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], int] = {}

    def around(self, services: Services) -> Services:
        """The same services, impaired."""
        return replace(
            services,
            store=None if services.store is None else self._store(services.store),
            find=None if services.find is None else self._find(services.find),
            move=None if services.move is None else self._move(services.move),
            get=None if services.get is None else self._get(services.get),
            n_action=None if services.n_action is None else self._commit(services.n_action),
        )

    # --- the services ------------------------------------------------------------------------------------------------

    def _store(self, sound: Callable[[StoreRequest], StoreStatus]) -> Callable[[StoreRequest], StoreStatus]:
        def store(request: StoreRequest) -> StoreStatus:
            wrong = self._impairments()
            if wrong == _SOUND:
                return sound(request)
            attributes = attributes_in(request)
            self._slow(Service.STORE, request.facts, attributes)
            if (status := self._status(Service.STORE, attributes)) is not None:
                return StoreStatus(status.status, status.comment)
            for position, discard in enumerate(wrong.discards):
                if all(condition.holds(attributes) for condition in discard.where):
                    number = self._count(request.facts, f"discard {position}")
                    if number % discard.every == 0:
                        return StoreStatus(0x0000)
            return sound(request)

        return store

    def _find(self, sound: Callable[[Query], Iterator[FindAnswer]]) -> Callable[[Query], Iterator[FindAnswer]]:
        def find(query: Query) -> Iterator[FindAnswer]:
            return sound(query) if self._impairments() == _SOUND else impaired(query)

        def impaired(query: Query) -> Iterator[FindAnswer]:
            attributes = _of_identifier(query.identifier)
            self._slow(Service.FIND, query.facts, attributes)
            if (status := self._status(Service.FIND, attributes)) is not None:
                yield FindAnswer(status.status, comment=status.comment)
                return
            most = self._most(Service.FIND)
            given = 0
            for answer in sound(query):
                yield answer
                given += answer.is_match
                if given == most:
                    return

        return find

    def _move(self, sound: Callable[[Query, str], RetrievePlan]) -> Callable[[Query, str], RetrievePlan]:
        def move(query: Query, destination: str) -> RetrievePlan:
            return self._planned(Service.MOVE, query, lambda: sound(query, destination))

        return move

    def _get(self, sound: Callable[[Query], RetrievePlan]) -> Callable[[Query], RetrievePlan]:
        def get(query: Query) -> RetrievePlan:
            return self._planned(Service.GET, query, lambda: sound(query))

        return get

    def _planned(self, service: Service, query: Query, sound: Callable[[], RetrievePlan]) -> RetrievePlan:
        if self._impairments() == _SOUND:
            return sound()
        attributes = _of_identifier(query.identifier)
        self._slow(service, query.facts, attributes)
        if (status := self._status(service, attributes)) is not None:
            return RetrievePlan(status=status.status, comment=status.comment)
        plan = sound()
        most = self._most(service)
        return plan if most is None else replace(plan, objects=plan.objects[:most])

    def _commit(
        self, sound: Callable[[NormalizedRequest], NormalizedAnswer]
    ) -> Callable[[NormalizedRequest], NormalizedAnswer]:
        def commit(request: NormalizedRequest) -> NormalizedAnswer:
            self._slow(Service.COMMIT, request.facts, {})
            if (status := self._status(Service.COMMIT, {})) is not None:
                return NormalizedAnswer(status.status, comment=status.comment)
            return sound(request)

        return commit

    # --- what is wrong -----------------------------------------------------------------------------------------------

    def _slow(self, service: Service, facts: AssociationFacts, attributes: Mapping[str, str]) -> None:
        seconds = 0.0
        for position, slowness in enumerate(self._impairments().slow):
            if slowness.service is service and all(condition.holds(attributes) for condition in slowness.where):
                number = self._count(facts, f"slow {position}")
                seconds += slowness.seconds if number > slowness.after else 0.0
        if seconds:
            self._wait(seconds)

    def _status(self, service: Service, attributes: Mapping[str, str]) -> InjectedStatus | None:
        return next(
            (
                entry
                for entry in self._impairments().statuses
                if entry.service is service and all(condition.holds(attributes) for condition in entry.where)
            ),
            None,
        )

    def _most(self, service: Service) -> int | None:
        return min((cap.most for cap in self._impairments().caps if cap.service is service), default=None)

    def _count(self, facts: AssociationFacts, what: str) -> int:
        """The number of this request among those of its association that ``what`` concerns, from 1."""
        with self._lock:
            key = (facts.id, what)
            while key not in self._counts and len(self._counts) >= _REMEMBERED:
                del self._counts[next(iter(self._counts))]
            self._counts[key] = self._counts.get(key, 0) + 1
            return self._counts[key]


def attributes_in(request: StoreRequest) -> dict[str, str]:
    """The attributes of a received object that an index knows, by keyword, as text; and what the request says of it."""
    said = {
        "SOPClassUID": request.sop_class,
        "SOPInstanceUID": request.sop_instance,
        "TransferSyntaxUID": request.transfer_syntax,
    }
    try:
        with dataset_of(request) as dataset:
            header = read_header(dataset, request.transfer_syntax)
    except UnreadableError:
        return said
    return {attribute.keyword: header.values.get(attribute.tag, "") for attribute in STORED} | said


def _of_identifier(identifier: Dataset) -> dict[str, str]:
    found = {}
    for element in identifier:
        if element.keyword and element.VR != "SQ":
            values = element.value if isinstance(element.value, MultiValue) else [element.value or ""]
            found[element.keyword] = "\\".join(map(str, values))
    return found
