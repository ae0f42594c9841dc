"""The lists of what can be supported are whole."""

from __future__ import annotations

from pydicom.uid import UID
from pynetdicom import ALL_TRANSFER_SYNTAXES, StoragePresentationContexts

from sandbox.dicom import syntaxes


def test_everything_pynetdicom_stores_by_default_is_among_the_storage_classes() -> None:
    assert {str(context.abstract_syntax) for context in StoragePresentationContexts} <= set(syntaxes.STORAGE_CLASSES)


def test_every_transfer_syntax_is_one_and_is_there_once() -> None:
    assert all(UID(uid).is_transfer_syntax for uid in syntaxes.ALL_TRANSFER_SYNTAXES)
    assert len(set(syntaxes.ALL_TRANSFER_SYNTAXES)) == len(syntaxes.ALL_TRANSFER_SYNTAXES)
    storable = {uid for uid in ALL_TRANSFER_SYNTAXES if not any(word in UID(uid).name for word in ("SMPTE", "JPIP"))}
    assert storable <= set(syntaxes.ALL_TRANSFER_SYNTAXES)


def test_what_is_convertible_needs_no_codec() -> None:
    for uid in syntaxes.ALL_TRANSFER_SYNTAXES:
        codec_free = not UID(uid).is_encapsulated
        assert (uid in syntaxes.CONVERTIBLE) == codec_free


def test_our_own_uid_is_one() -> None:
    assert UID(syntaxes.IMPLEMENTATION_CLASS_UID).is_valid
    assert len(syntaxes.IMPLEMENTATION_VERSION_NAME) <= 16
