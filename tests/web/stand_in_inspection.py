"""What the stand-in lab answers to those who look closely: an association byte by byte, logs, history. All of it with
hostile text in it wherever a peer or a person could have put some."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Flask, Response, request

from sandbox.dicom.dissect import dissect
from sandbox.model.errors import NotFoundError
from sandbox.model.history_view import ChangeKind, ChangeLine, DepartmentLogLine, History, HistoryEntry, LogLines, Undo
from sandbox.model.inspection import (
    Advice,
    AssociationDetail,
    Clause,
    ContextDetail,
    Element,
    Elements,
    Party,
    PduDetail,
    PduLine,
    PduLines,
    RejectionDetail,
    Step,
    StepDetail,
    Steps,
    Unspoken,
    UserItem,
)
from sandbox.model.view import AssociationView, ContextView
from tests.dicom.support import associate_rq

Answer = Callable[[Any], Response]
REQUEST = associate_rq(contexts=[(1, "1.2.840.10008.1.1", ("1.2.840.10008.1.2",))])
STEPS = 90
ADVICE = Advice(
    node="CT1",
    path="remotes.ROUTER.ae_title",
    field="remotes.0.ae_title",
    title="AE title of ROUTER in the AE table of CT1",
    value="ROUTERX",
    saved="ROUTER",
    words="The title by which the caller calls.",
    part="PS3.8 9.3.4",
)


def register(app: Flask, answer: Answer, association: AssociationView, now: datetime, hostile: str) -> None:
    """Add the routes to the stand-in's API."""
    known = {name: getattr(association, name) for name in AssociationView.model_fields}
    detail = AssociationDetail(
        **known,
        ended_at=now,
        caller=Party(node="CT1", ae_title="CT1", address=association.source_address, maximum_pdu=16384),
        called=Party(tool=hostile, ae_title=hostile, implementation_version=hostile, maximum_pdu=0),
        account=(Clause(words=hostile, part="PS3.8 9.3.2"), Clause(words="Refused.", good=False)),
        advice=(ADVICE, Advice(title="firewall between the VLANs", words="It decides.")),
        rejection=RejectionDetail(
            result=1,
            result_words="rejected permanently",
            source=1,
            source_words="service user",
            reason=7,
            reason_words="called AE title not recognised",
            meaning="m",
            look="l",
        ),
        details=tuple(_context(context) for context in association.contexts),
        user_information=(
            UserItem(from_requestor=True, name="Implementation version name", value=hostile, decided_by=ADVICE),
        ),
        pdus=3,
        captured=1000,
        steps=STEPS,
    )

    def there(one: str) -> None:
        if one != association.id:
            raise NotFoundError("There is no such association.", "Choose one from the list.")

    @app.get("/associations/<one>")
    def _association(one: str) -> Response:
        there(one)
        return answer(detail)

    @app.get("/associations/<one>/messages")
    def _steps(one: str) -> Response:
        there(one)
        after, limit = int(request.args.get("after", 0)), int(request.args.get("limit", 50))
        numbers = range(after + 1, min(after + limit, STEPS) + 1)
        return answer(Steps(total=STEPS, steps=tuple(_step(number, now, hostile) for number in numbers)))

    @app.get("/associations/<one>/messages/<int:number>")
    def _message(one: str, number: int) -> Response:
        there(one)
        elements = (
            Element(tag="(0010,0010)", vr="PN", keyword="PatientName", name="Patient's Name", length=8, value=hostile),
            Element(tag="(0008,1140)", vr="SQ", keyword="ReferencedImageSequence", length=None),
            Element(depth=1, tag="(FFFE,E000)", name="Item 1", length=12),
            Element(tag="", name="Unreadable", value="FF", note=hostile, bad=True),
        )
        data = Elements(elements=elements, more=True, trouble=hostile)
        return answer(
            StepDetail(
                step=_step(number, now, hostile), command=Elements(elements=elements[:1]), data=data, data_size=9
            )
        )

    @app.get("/associations/<one>/pdus")
    def _pdus(one: str) -> Response:
        there(one)
        return answer(PduLines(total=3, pdus=tuple(_pdu(number, now) for number in (1, 2, 3))))

    @app.get("/associations/<one>/pdus/<int:number>")
    def _one_pdu(one: str, number: int) -> Response:
        there(one)
        read = dissect(REQUEST)
        return answer(PduDetail(pdu=_pdu(number, now), pieces=read.pieces, data=REQUEST.hex()))

    @app.get("/connections")
    def _connections() -> Response:
        return answer([Unspoken(seq=9, at=now, node="ARCHIVE", peer="127.0.0.1:9", reason=hostile)])

    @app.get("/logs")
    def _logs() -> Response:
        lines = [
            DepartmentLogLine(seq=5, at=now, level="info", text="CT1 started", node="CT1"),
            DepartmentLogLine(
                seq=7, at=now, level="error", text=f"Association rejected {hostile}", association="a-1", node="CT1"
            ),
            DepartmentLogLine(seq=8, at=now, level="warning", text="two\nlines", node="ROUTER"),
        ]
        asked = request.args
        levels = {"warning": ("warning", "error"), "error": ("error",)}.get(asked.get("level", ""))
        kept = tuple(
            line
            for line in lines
            if (not levels or line.level in levels)
            and asked.get("q", "").lower() in line.text.lower()
            and asked.get("node", line.node) == line.node
            and asked.get("association", line.association) == line.association
            and line.seq > int(asked.get("after", 0))
        )
        return answer(LogLines(lines=kept, more=asked.get("before", "0") == asked.get("after", "0") == "0"))

    @app.get("/history")
    def _history() -> Response:
        change = ChangeLine(
            path="remotes.ROUTER.ae_title",
            before=hostile,
            after="ROUTERX",
            title="AE title of ROUTER (AE table)",
            field="remotes.0.ae_title",
            waits=True,
            undo=Undo(set={"remotes.ROUTER.ae_title": "ROUTER"}),
        )
        gone = ChangeLine(path="remotes.WS3", before={"name": "WS3", "port": 104}, title="WS3", whole="remotes.WS3")
        entries = (
            HistoryEntry(
                seq=12,
                at=now,
                kind=ChangeKind.CONFIGURATION,
                node="CT1",
                who="trainee",
                sentence="Configuration saved.",
                changes=(change, gone),
            ),
            HistoryEntry(seq=11, at=now, kind=ChangeKind.NETWORK, who=f"cli:{hostile}", sentence=hostile),
        )
        return answer(History(entries=entries, more=request.args.get("before", "0") == "0", waiting=("CT1",)))


def _context(context: ContextView) -> ContextDetail:
    known = {name: getattr(context, name) for name in ContextView.model_fields}
    return ContextDetail(**known, because="Why.", acceptor_known=True, taken=("1.2",), taken_names=("One",))


def _step(number: int, now: datetime, hostile: str) -> Step:
    return Step(
        number=number,
        at=now,
        since_ms=1.5 * number,
        from_requestor=number % 2 == 1,
        name="C-STORE-RQ" if number % 2 else "C-STORE-RSP",
        words=hostile,
        tone="bad",
        is_message=True,
        first_pdu=1,
        last_pdu=2,
        context_id=1,
        message_id=number,
        request=0 if number % 2 else number - 1,
        answer=number + 1 if number % 2 else 0,
        status=None if number % 2 else 0xA700,
        status_text="Out of resources",
        comment=hostile,
        size=131072,
        duration_ms=3.25,
        completed=1,
        destination=hostile[:16],
    )


def _pdu(number: int, now: datetime) -> PduLine:
    return PduLine(
        number=number,
        at=now,
        since_ms=float(number),
        from_requestor=True,
        kind=1,
        name="A-ASSOCIATE-RQ",
        size=len(REQUEST),
        words="asks",
        step=number,
        bad=number == 2,
    )
