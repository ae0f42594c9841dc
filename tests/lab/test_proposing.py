"""Proposing contexts of one's own: what a node would agree on, as its configuration has it, on a real association."""

from __future__ import annotations

import pytest

from sandbox.lab.lab import Lab
from sandbox.model.errors import SandboxError
from sandbox.model.view import CommandResult

CT, MR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"
IMPLICIT, EXPLICIT, JPEG_LS = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.80"


def propose(lab: Lab, *contexts: tuple[str, tuple[str, ...]], **more: str) -> CommandResult:
    lines = [{"abstract_syntax": abstract, "transfer_syntaxes": list(syntaxes)} for abstract, syntaxes in contexts]
    params = {"node": "CT1", "remote": "ROUTER", "contexts": lines, **more}
    return lab.execute(lab.parse("tool.propose", params), "person")


def test_each_context_has_its_own_answer_in_the_acceptors_order(lab: Lab) -> None:
    wanted = {"storage_classes": ["CT Image Storage"], "transfer_syntaxes": [EXPLICIT, IMPLICIT]}
    lab.execute(lab.parse("node.config.save", {"node": "ROUTER", "set": wanted}), "person")
    lab.execute(lab.parse("node.restart", {"node": "ROUTER"}), "person")
    result = propose(lab, (CT, (IMPLICIT, EXPLICIT)), (CT, (JPEG_LS,)), (MR, (IMPLICIT,)))
    assert result.ok
    assert [(row[0], row[3]) for row in result.rows] == [("1", "Explicit VR Little Endian"), ("3", ""), ("5", "")]
    view = lab.associations.view(lab.associations.story(result.association))
    assert [context.result for context in view.contexts] == [0, 4, 3]


def test_a_title_that_is_not_known_is_refused_before_any_context(lab: Lab) -> None:
    result = propose(lab, (CT, (IMPLICIT,)), calling_ae="NOBODY")
    assert not result.ok
    assert "1/1/3" in result.sentence or "not recognised" in result.sentence
    assert not propose(lab, (CT, (IMPLICIT,)), called_ae="ROUTER2").ok


@pytest.mark.parametrize(
    "contexts", [[], [("1.2.840..3", (IMPLICIT,))], [(CT, ())], [(CT, ("; rm",))], [(CT, (IMPLICIT,))] * 129]
)
def test_what_is_no_proposal_is_refused_in_words(lab: Lab, contexts: list[tuple[str, tuple[str, ...]]]) -> None:
    with pytest.raises(SandboxError):
        propose(lab, *contexts)


def test_a_remote_that_is_not_in_the_table_is_told(lab: Lab) -> None:
    with pytest.raises(SandboxError, match="AE table"):
        lab.execute(
            lab.parse(
                "tool.propose",
                {
                    "node": "CT1",
                    "remote": "NOWHERE",
                    "contexts": [{"abstract_syntax": CT, "transfer_syntaxes": [IMPLICIT]}],
                },
            ),
            "person",
        )
