"""What is done to the tables of a send queue: the only SQL of this package, with ``queue_tables``.

A file that the queue owns (the router's spool) goes when its last entry goes. One connection under one lock: whoever
calls holds the queue's lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
    true,
    update,
)
from sqlalchemy.pool import StaticPool

from sandbox.archive.index.compiled import share_compiled
from sandbox.dicom.contract import StoredObject
from sandbox.nodes.queue_tables import (
    COUNT_SENT,
    DESTINATIONS,
    DUE,
    ENTRIES,
    ENTRY,
    FOR_DESTINATION,
    HAS_STUDY,
    HEAD,
    IS_THERE,
    KEPT,
    METADATA,
    NEXT_DUE,
    OBJECTS,
    OF_STUDY,
    REMOVE,
    REMOVE_OBJECT,
    STUDIES,
    TALLIES,
    Destination,
    Entry,
    QueueItem,
    Tally,
)


class QueueRows:
    """The tables of one queue, in one SQLite file. Paths inside ``root`` are kept relative to it, so that a node's
    directory may be copied to another place."""

    def __init__(self, path: Path, root: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._root = root
        self._engine = share_compiled(
            create_engine(f"sqlite:///{path}", poolclass=StaticPool, connect_args={"check_same_thread": False})
        )
        event.listen(self._engine, "connect", _prepare)
        METADATA.create_all(self._engine)

    def close(self) -> None:
        self._engine.dispose()

    # --- adding and taking -------------------------------------------------------------------------------------------

    def add(
        self,
        items: Sequence[QueueItem],
        routes: Mapping[str, int],
        *,
        added: datetime,
        cause: int | None,
        actor: str,
        dead_because: str = "",
    ) -> None:
        """Write items and their entries in one transaction; on return they are durable."""
        with self._engine.begin() as connection:
            for item in items:
                key = connection.execute(insert(OBJECTS).values(**self._object_values(item))).inserted_primary_key
                assert key is not None
                self._add_entries(connection, key[0], routes, added, cause, actor, dead_because)

    def reroute(self, entry: Entry, routes: Mapping[str, int], *, cause: int | None, actor: str) -> None:
        """Put entries for other destinations in the place of one."""
        with self._engine.begin() as connection:
            connection.execute(delete(ENTRIES).where(ENTRIES.c.id == entry.id))
            self._add_entries(connection, entry.object_id, routes, entry.added, cause, actor, "")

    def head(self, destination: str, now: float) -> Entry | None:
        """The entry to send next: the most urgent, then the oldest, of those that are due."""
        with self._engine.connect() as connection:
            row = connection.execute(HEAD, {"to": destination, "now": now}).first()
        return None if row is None else self._entry(row)

    def syntaxes(self, like: Entry, limit: int) -> list[tuple[str, str]]:
        """SOP classes and transfer syntaxes that wait for the same destination for the same cause."""
        pair = select(OBJECTS.c.sop_class, OBJECTS.c.transfer_syntax).join(ENTRIES).where(*_batch(like))
        with self._engine.connect() as connection:
            return [(row[0], row[1]) for row in connection.execute(pair.distinct().limit(limit))]

    def exists(self, entry: int) -> bool:
        with self._engine.connect() as connection:
            return connection.execute(IS_THERE, {"entry": entry}).first() is not None

    # --- outcomes ----------------------------------------------------------------------------------------------------

    def sent(self, entry: Entry) -> list[Path]:
        """Take an entry out as sent. Returns the files that nobody needs any more."""
        with self._engine.begin() as connection:
            if connection.execute(REMOVE, {"entry": entry.id}).rowcount:
                connection.execute(COUNT_SENT, {"to": entry.destination})
            is_last = connection.execute(REMOVE_OBJECT, {"object": entry.object_id}).rowcount
        return [entry.item.object.path] if is_last and entry.item.owned else []

    def failed(self, entry: Entry, reason: str, due: float) -> int:
        """Count an attempt of one entry, which is next due at ``due``. Returns its attempts (0: it is gone)."""
        with self._engine.begin() as connection:
            connection.execute(
                update(ENTRIES)
                .where(ENTRIES.c.id == entry.id)
                .values(attempts=ENTRIES.c.attempts + 1, last_error=reason, due=due)
            )
            count = connection.execute(select(ENTRIES.c.attempts).where(ENTRIES.c.id == entry.id)).scalar()
        return int(count or 0)

    def failed_batch(self, like: Entry, reason: str, limit: int) -> list[Entry]:
        """Count an attempt of every entry that would have gone over the association of ``like``.

        Returns those that have now failed ``limit`` times.
        """
        with self._engine.begin() as connection:
            connection.execute(
                update(ENTRIES).where(*_batch(like)).values(attempts=ENTRIES.c.attempts + 1, last_error=reason)
            )
            exhausted = ENTRY.where(*_batch(like), ENTRIES.c.attempts >= limit)
            return [self._entry(row) for row in connection.execute(exhausted)]

    def bury(self, entries: Sequence[int], reason: str) -> None:
        """Set entries aside as dead letters."""
        with self._engine.begin() as connection:
            for entry in entries:
                connection.execute(update(ENTRIES).where(ENTRIES.c.id == entry).values(dead=True, last_error=reason))

    # --- what an administrator does ----------------------------------------------------------------------------------

    def hold(self, destination: str, since: datetime | None, reason: str) -> None:
        """Hold a destination, or with ``since`` None let it go."""
        with self._engine.begin() as connection:
            self._ensure(connection, destination)
            connection.execute(
                update(DESTINATIONS)
                .where(DESTINATIONS.c.name == destination)
                .values(held_since=None if since is None else since.isoformat(), held_reason=reason)
            )

    def redrive(self, destination: str) -> int:
        """Make dead letters wait again, from their first attempt."""
        with self._engine.begin() as connection:
            return connection.execute(
                update(ENTRIES)
                .where(ENTRIES.c.destination == destination, ENTRIES.c.dead)
                .values(dead=False, attempts=0, due=0.0)
            ).rowcount

    def make_due(self, destination: str) -> int:
        """Let every waiting entry be tried at once. Returns how many there are."""
        with self._engine.begin() as connection:
            return connection.execute(
                update(ENTRIES).where(ENTRIES.c.destination == destination, ~ENTRIES.c.dead).values(due=0.0)
            ).rowcount

    def promote(self, destination: str, study_uid: str, priority: int) -> int:
        """Give what waits of a study at least this priority, and let it be tried at once. Returns how many entries."""
        of_study = select(OBJECTS.c.id).where(OBJECTS.c.study_uid == study_uid)
        chosen = ENTRIES.c.destination == destination, ~ENTRIES.c.dead, ENTRIES.c.object_id.in_(of_study)
        with self._engine.begin() as connection:
            return connection.execute(
                update(ENTRIES).where(*chosen).values(priority=func.min(ENTRIES.c.priority, priority), due=0.0)
            ).rowcount

    def remove(self, destination: str, entry: int | None) -> tuple[int, list[Path]]:
        """Delete one entry of a destination, or all. Returns how many, and the files that nobody needs any more."""
        chosen = [ENTRIES.c.destination == destination]
        if entry is not None:
            chosen.append(ENTRIES.c.id == entry)
        with self._engine.begin() as connection:
            return connection.execute(delete(ENTRIES).where(*chosen)).rowcount, self._purge(connection, true())

    def remove_study(self, study_uid: str) -> list[Path]:
        """Delete every entry of a study. Returns the files that nobody needs any more."""
        with self._engine.connect() as connection:
            # Most queues never saw it, and are not to write for that.
            if connection.scalar(HAS_STUDY, {"study": study_uid}) is None:
                return []
        of_study = select(OBJECTS.c.id).where(OBJECTS.c.study_uid == study_uid)
        with self._engine.begin() as connection:
            connection.execute(delete(ENTRIES).where(ENTRIES.c.object_id.in_(of_study)))
            return self._purge(connection, true())

    # --- looking -----------------------------------------------------------------------------------------------------

    def entries(self, destination: str, limit: int) -> list[Entry]:
        """A destination's entries, dead letters last, in the order in which they would go."""
        with self._engine.connect() as connection:
            rows = connection.execute(FOR_DESTINATION, {"to": destination, "most": limit})
            return [self._entry(row) for row in rows]

    def entries_of(self, study_uid: str) -> list[Entry]:
        """A study's entries for all destinations, in the order of ``entries``."""
        with self._engine.connect() as connection:
            return [self._entry(row) for row in connection.execute(OF_STUDY, {"study": study_uid})]

    def tallies(self) -> dict[str, Tally]:
        """Entries counted by destination."""
        with self._engine.connect() as connection:
            next_due = {row[0]: float(row[1]) for row in connection.execute(DUE)}
            return {
                row[0]: Tally(int(row[1]), int(row[2]), datetime.fromisoformat(row[3]), next_due.get(row[0], 0.0))
                for row in connection.execute(TALLIES)
            }

    def next_due(self, destination: str) -> float | None:
        """When the first waiting entry is due; None when none waits."""
        with self._engine.connect() as connection:
            found = connection.execute(NEXT_DUE, {"to": destination}).scalar()
        return None if found is None else float(found)

    def destinations(self) -> dict[str, Destination]:
        """What is kept of each destination besides its entries."""
        with self._engine.connect() as connection:
            return {
                row.name: Destination(
                    row.name,
                    None if row.held_since is None else datetime.fromisoformat(row.held_since),
                    row.held_reason,
                    row.sent,
                )
                for row in connection.execute(KEPT)
            }

    def paths(self) -> set[Path]:
        """Every file that the queue refers to."""
        with self._engine.connect() as connection:
            return {self._root / row[0] for row in connection.execute(select(OBJECTS.c.path))}

    def studies(self) -> set[str]:
        """Every study of which something waits."""
        with self._engine.connect() as connection:
            return {row[0] for row in connection.execute(STUDIES)}

    # --- rows and values ---------------------------------------------------------------------------------------------

    def _entry(self, row: Row[Any]) -> Entry:
        found = row._mapping
        stored = StoredObject(
            path=self._root / found[OBJECTS.c.path],
            sop_class=found[OBJECTS.c.sop_class],
            sop_instance=found[OBJECTS.c.sop_instance],
            transfer_syntax=found[OBJECTS.c.transfer_syntax],
        )
        item = QueueItem(
            object=stored,
            study_uid=found[OBJECTS.c.study_uid],
            patient_name=found[OBJECTS.c.patient_name],
            accession_number=found[OBJECTS.c.accession_number],
            description=found[OBJECTS.c.description],
            calling_ae=found[OBJECTS.c.calling_ae],
            owned=found[OBJECTS.c.owned],
        )
        return Entry(
            id=found[ENTRIES.c.id],
            object_id=found[ENTRIES.c.object_id],
            destination=found[ENTRIES.c.destination],
            item=item,
            priority=found[ENTRIES.c.priority],
            attempts=found[ENTRIES.c.attempts],
            added=datetime.fromisoformat(found[ENTRIES.c.added]),
            due=found[ENTRIES.c.due],
            dead=found[ENTRIES.c.dead],
            last_error=found[ENTRIES.c.last_error],
            cause=found[ENTRIES.c.cause],
            actor=found[ENTRIES.c.actor],
        )

    def _object_values(self, item: QueueItem) -> dict[str, Any]:
        path = item.object.path
        return {
            "study_uid": item.study_uid,
            "sop_instance": item.object.sop_instance,
            "sop_class": item.object.sop_class,
            "transfer_syntax": item.object.transfer_syntax,
            "path": str(path.relative_to(self._root) if path.is_relative_to(self._root) else path),
            "owned": item.owned,
            "patient_name": item.patient_name,
            "accession_number": item.accession_number,
            "description": item.description,
            "calling_ae": item.calling_ae,
        }

    def _purge(self, connection: Connection, among: ColumnElement[bool]) -> list[Path]:
        """Delete objects without entries. The files of owned ones are returned, to be deleted after the commit."""
        orphan = among, ~select(ENTRIES.c.id).where(ENTRIES.c.object_id == OBJECTS.c.id).exists()
        owned = select(OBJECTS.c.path).where(*orphan, OBJECTS.c.owned)
        paths = [self._root / row[0] for row in connection.execute(owned)]
        connection.execute(delete(OBJECTS).where(*orphan))
        return paths

    @staticmethod
    def _add_entries(
        connection: Connection,
        object_id: int,
        routes: Mapping[str, int],
        added: datetime,
        cause: int | None,
        actor: str,
        dead_because: str,
    ) -> None:
        shared = {"object_id": object_id, "attempts": 0, "added": added.isoformat(), "due": 0.0}
        shared |= {"dead": bool(dead_because), "last_error": dead_because, "cause": cause, "actor": actor}
        rows = [shared | {"destination": name, "priority": priority} for name, priority in routes.items()]
        connection.execute(insert(ENTRIES), rows)

    @staticmethod
    def _ensure(connection: Connection, destination: str) -> None:
        connection.execute(
            insert(DESTINATIONS).prefix_with("OR IGNORE").values(name=destination, held_reason="", sent=0)
        )


def _prepare(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    # A commit survives the death of the process; only a power cut may take the last ones.
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _batch(like: Entry) -> tuple[ColumnElement[bool], ...]:
    same_cause = ENTRIES.c.cause.is_(None) if like.cause is None else ENTRIES.c.cause == like.cause
    return ENTRIES.c.destination == like.destination, ~ENTRIES.c.dead, same_cause, ENTRIES.c.actor == like.actor
