"""Which presentation contexts to propose for what is to be sent: at most 128, and no more than needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sandbox.dicom.contract import StoredObject, SupportedContext
from sandbox.dicom.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, UNCOMPRESSED, can_transcode

MOST_CONTEXTS = 128


def contexts_for_storage(objects: Iterable[StoredObject], *, transcode: bool = True) -> tuple[SupportedContext, ...]:
    """Contexts to store these objects with (see ``contexts_for_pairs``)."""
    return contexts_for_pairs(((item.sop_class, item.transfer_syntax) for item in objects), transcode=transcode)


def contexts_for_pairs(pairs: Iterable[tuple[str, str]], *, transcode: bool = True) -> tuple[SupportedContext, ...]:
    """Contexts to store objects of these SOP classes and transfer syntaxes with.

    One transfer syntax a context, so that the peer cannot choose another than the one the bytes are in. For what can be
    transcoded there is one more for each SOP class, with the uncompressed transfer syntaxes that are not yet offered
    for it, of which every AE has to take one (PS3.5 10.1). Explicit VR takes implicit VR into its own context, since
    hardly any peer prefers that, and GDCM mistakes two contexts of a SOP class for each other. Where more than 128
    would be needed, the ones that serve most objects are proposed. Without ``transcode`` every object goes as it is or
    not at all.
    """
    exact = [pair for pair, _ in Counter(pairs).most_common()]
    offered = frozenset(exact)
    missing = {
        sop_class: tuple(one for one in UNCOMPRESSED if (sop_class, one) not in offered)
        for sop_class, syntax in exact
        if transcode and can_transcode(syntax, EXPLICIT_VR_LITTLE_ENDIAN)
    }
    proposed: list[SupportedContext] = []
    for sop_class, syntax in exact:
        others = missing.pop(sop_class, ()) if syntax == EXPLICIT_VR_LITTLE_ENDIAN else ()
        proposed.append(SupportedContext(sop_class, (syntax, *others)))
    proposed += [SupportedContext(sop_class, syntaxes) for sop_class, syntaxes in missing.items() if syntaxes]
    return tuple(proposed[:MOST_CONTEXTS])
