"""What the stand-in lab says of where a study is and of headers, with words that a page must not take for markup."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, request

from sandbox.model.errors import ConflictError, NotFoundError
from sandbox.model.follow_view import (
    Carried,
    Commitment,
    Disagreement,
    Followed,
    FollowedStudy,
    Hop,
    Presence,
    Routing,
    Search,
    SeriesShare,
    Share,
    TakenOut,
    Waiting,
)
from sandbox.model.header_view import (
    HeaderComparison,
    HeaderDifference,
    HeaderLine,
    HeaderSource,
    HeaderView,
    How,
    ImageFacts,
)
from sandbox.model.view import QueueState, StudySummary

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
DAMAGED = "9.9.9"
"""An instance of which nothing can be read."""


def share(node: str, role: str, presence: Presence, here: int, said: str, **over: int) -> Share:
    return Share(node=node, role=role, presence=presence, instances=here, of=12, sentence=said, **over)


SHARES = (
    share("CT1", "modality", Presence.WHOLE, 12, "12 of 12"),
    share("ROUTER", "router", Presence.PASSING, 0, "4 waiting for ARCHIVE", waiting=4),
    share("ARCHIVE", "archive", Presence.PART, 8, "8 of 12"),
    share("WS2", "workstation", Presence.NONE, 0, "0 of 12"),
)
WHERE = "CT1 has all 12 images. In part on ARCHIVE (8 of 12). Waiting at ROUTER. Not on WS2."


def followed(study: StudySummary, hostile: str) -> FollowedStudy:
    return FollowedStudy(
        study=study,
        shares=SHARES,
        where=WHERE,
        instances=12,
        sentences=(f"4 images at ROUTER for ARCHIVE: {hostile}.",),
        series=(
            SeriesShare(
                series_uid="1.2.3.1",
                modality="CT",
                number=1,
                description=hostile,
                sop_class="1.2.840.10008.5.1.4.1.1.2",
                sop_class_name="CT Image Storage",
                instances=12,
                on={"CT1": 12, "ARCHIVE": 8},
                sample={"CT1": "1.2.3.4", "ARCHIVE": "1.2.3.4"},
            ),
        ),
        disagreements=(Disagreement(name="Patient ID", values={"CT1": hostile, "ARCHIVE": ""}),),
        waiting=(
            Waiting(
                node="ROUTER",
                destination="ARCHIVE",
                state=QueueState.WAITING,
                waiting=4,
                dead=1,
                since=NOW,
                attempts=3,
                last_error=hostile,
                retry_in_s=9.0,
                held_reason=hostile,
                sentence="",
            ),
        ),
        routing=(Routing(node="ROUTER", at=NOW, rules=(), destinations=(), not_to=("WS2",), sentence=hostile, seq=1),),
        carried=(
            Carried(
                association="a-1",
                at=NOW,
                source="CT1",
                target="ROUTER",
                calling_ae="CT1",
                called_ae="ROUTER",
                stored=8,
                refused=4,
                refusals=(f"{hostile}, 4×",),
                outcome="aborted",
            ),
        ),
        taken_out=(
            TakenOut(
                node="ARCHIVE",
                entry=3,
                kind="reject",
                at=NOW,
                by="trainee",
                reason=hostile,
                instances=1,
                in_bin=1,
                undone=False,
                sentence=hostile,
            ),
        ),
        commitment=(Commitment(node="CT1", states={"committed": 8}, sentence="CT1: 8 committed."),),
        hops=tuple(
            Hop(at=NOW, until=NOW, node="CT1", kind="queue.sent", sentence=hostile, association="a-1", good=good, seq=1)
            for good in (True, False, None)
        ),
    )


def source(node: str, sop: str, hostile: str) -> HeaderSource:
    return HeaderSource(node=node, sop_instance=sop, study_uid="1.2.3", patient_name=hostile, transfer_syntax="x")


def lines(hostile: str) -> tuple[HeaderLine, ...]:
    return (
        HeaderLine(
            path="00100020", depth=0, tag="(0010,0020)", vr="LO", keyword="PatientID", name="Patient ID", value="00123"
        ),
        HeaderLine(
            path="00400275", depth=0, tag="(0040,0275)", vr="SQ", keyword="RequestAttributesSequence", value="1 item"
        ),
        HeaderLine(path="00400275[1]", depth=1, name="Item 1", is_item=True),
        HeaderLine(
            path="00400275[1].00400007", depth=1, tag="(0040,0007)", vr="LO", keyword="StepDescription", value=hostile
        ),
        HeaderLine(path="00091001", depth=0, tag="(0009,1001)", vr="UN", name="Private", value="01", is_private=True),
    )


def add(app: Flask, answer: Callable[[Any], Response], study: StudySummary, hostile: str) -> None:
    """The routes of following and of headers, on a stand-in lab that has ``study``."""

    @app.get("/follow")
    def _search() -> Response:
        q = request.args.get("q", "")
        one = Followed(study=study, shares=SHARES, where=WHERE)
        other = Followed(study=study.model_copy(update={"study_uid": "1.2.9"}), shares=SHARES, where=WHERE)
        return answer(Search(q=q, studies={"nobody": (), "A1": (one,)}.get(q, (one, other)), more=True))

    @app.get("/follow/<uid>")
    def _followed(uid: str) -> Response:
        if uid != study.study_uid:
            raise NotFoundError("Nothing in the department has that study.", "Look for it by name.")
        return answer(followed(study, hostile))

    @app.get("/nodes/<name>/instances/<sop>/facts")
    def _facts(name: str, sop: str) -> Response:
        return answer(
            ImageFacts(sop_instance=sop, rows=1, columns=1, spacing=(0.5, 0.5), spacing_of="in the patient", unit="HU")
        )

    @app.get("/nodes/<name>/instances/<sop>/header")
    def _header(name: str, sop: str) -> Response:
        if sop == DAMAGED:
            raise ConflictError("This file cannot be read.", "It may have been removed or damaged.")
        return answer(HeaderView(source=source(name, sop, hostile), lines=lines(hostile), left_out=2))

    @app.get("/nodes/<name>/instances/<sop>/compare")
    def _compare(name: str, sop: str) -> Response:
        other = request.args.get("with_node", name)
        same = name == other and request.args.get("with_instance", sop) == sop
        return answer(
            HeaderComparison(
                left=source(name, sop, hostile),
                right=source(other, request.args.get("with_instance", sop), hostile),
                pixels="The pixel data differ.",
                pixels_same=False,
                differences=()
                if same
                else tuple(
                    HeaderDifference(
                        path=how.value,
                        depth=0,
                        tag="(0010,0020)",
                        vr="LO",
                        keyword="PatientID",
                        name="Patient ID",
                        is_private=False,
                        how=how,
                        left=hostile,
                        right=hostile,
                    )
                    for how in How
                ),
                same=lines(hostile)[:2],
            )
        )
