"""Which presentation contexts to propose for what is to be sent: at most 128, and no more than needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sandbox.dicom.contract import StoredObject, SupportedContext
from sandbox.dicom.syntaxes import CONVERTIBLE, IMPLICIT_VR_LITTLE_ENDIAN

MOST_CONTEXTS = 128


def contexts_for_storage(objects: Iterable[StoredObject]) -> tuple[SupportedContext, ...]:
    """Contexts to store these objects with: one for each SOP class in each transfer syntax it is stored in.

    One transfer syntax a context, so that the peer cannot choose another than the one the bytes are in. For what needs
    no codec there is a second context in implicit VR little endian, which every AE has to take (PS3.5 10.1). Where more
    than 128 would be needed, the ones that serve most objects are proposed.
    """
    counts = Counter((item.sop_class, item.transfer_syntax) for item in objects)
    exact = [pair for pair, _ in counts.most_common()]
    fallback = dict.fromkeys(
        (sop_class, IMPLICIT_VR_LITTLE_ENDIAN) for sop_class, syntax in exact if syntax in CONVERTIBLE
    )
    proposed = dict.fromkeys([*exact, *fallback])
    return tuple(SupportedContext(sop_class, (syntax,)) for sop_class, syntax in list(proposed)[:MOST_CONTEXTS])
