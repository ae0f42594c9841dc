"""A-ASSOCIATE read leniently where the standard says so, and refused, never crashed on, where it is damaged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.dicom.negotiation import decode_request
from sandbox.dicom.pdus import Kind, items, longest, read_associate_request
from tests.dicom.support import IMPLICIT, associate_rq, item

REQUEST = associate_rq(contexts=[(1, "1.2.3", (IMPLICIT,)), (3, "1.2.4", (IMPLICIT, "1.2.5"))])


def test_a_request_is_read_with_all_it_proposes() -> None:
    read = read_associate_request(REQUEST)
    assert (read.called_ae, read.calling_ae, read.protocol_version) == ("ARCHIVE", "SCRIPTED", 1)
    assert [(one.id, one.abstract_syntax, one.transfer_syntaxes) for one in read.proposed] == [
        (1, "1.2.3", (IMPLICIT,)),
        (3, "1.2.4", (IMPLICIT, "1.2.5")),
    ]
    assert read.tidied == REQUEST


def test_what_the_standard_does_not_know_is_taken_out() -> None:
    strange = associate_rq(contexts=[(1, "1.2.3", (IMPLICIT,))], user_items=item(0x77, b"x") + item(0x50, b""))
    plain = associate_rq(contexts=[(1, "1.2.3", (IMPLICIT,))])
    assert read_associate_request(strange).tidied == plain


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
@given(st.integers(0, len(REQUEST) - 1), st.binary(min_size=1, max_size=8))
def test_a_damaged_request_is_refused_or_read(at: int, damage: bytes) -> None:
    damaged = REQUEST[:at] + damage + REQUEST[at + len(damage) :]
    try:
        decode_request(read_associate_request(damaged).tidied)
    except ValueError:
        return


@given(st.binary(max_size=100))
def test_items_end_where_their_bytes_do(data: bytes) -> None:
    try:
        assert sum(4 + len(value) for _, value in items(data)) == len(data)
    except ValueError:
        return


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_pdu_has_a_bound(kind: Kind) -> None:
    assert 4 <= longest(kind, 0) <= 1 << 26
    assert longest(Kind.DATA, 1 << 22) == 1 << 22
