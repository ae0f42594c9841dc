"""Stored compressed, sent as it is to whom takes it, and pixel for pixel the same uncompressed to whom does not."""

from __future__ import annotations

import io
import subprocess
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from imagecodecs import htj2k_encode, jpeg8_encode
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.filereader import read_dataset
from pydicom.uid import HTJ2K, UID, HTJ2KLossless, JPEGExtended12Bit, JPEGLossless, UID_dictionary
from pynetdicom import AE, evt

from sandbox.dicom import syntaxes
from sandbox.dicom.client import Association, contexts_for_storage
from sandbox.dicom.codecs import can_decode, frames_of
from sandbox.dicom.contract import Peer, RetrievePlan, Services, StoredObject, StoreRequest, StoreStatus
from sandbox.dicom.datasets import read_encoded
from sandbox.dicom.transcode import TranscodeError, transcode

from .support import EXPLICIT, IMPLICIT, Recorder, make_requestor, query, serving, wait_until
from .test_dcmtk import answers_echo, tool
from .test_retrieve import move_between

SHIPPED = Path(pydicom.__file__).parent / "data" / "test_files"
# One of each kind: JPEG lossless, baseline in three colour models, extended with 12 bits, JPEG-LS both ways, JPEG 2000
# both ways (one with a sign that the header contradicts), RLE of 8, 16 and 32 bits, deflated, big endian.
FILES = (
    "SC_rgb_jpeg_gdcm.dcm",
    "SC_rgb_dcmtk_+eb+cr.dcm",
    "SC_rgb_dcmtk_+eb+cy+np.dcm",
    "SC_rgb_small_odd_jpeg.dcm",
    "JPGExtended.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "JPEGLSNearLossless_16.dcm",
    "SC_rgb_jls_lossy_line.dcm",
    "MR_small_jp2klossless.dcm",
    "J2K_pixelrep_mismatch.dcm",
    "GDCMJ2K_TextGBR.dcm",
    "JPEG2000.dcm",
    "MR_small_RLE.dcm",
    "SC_rgb_rle_2frame.dcm",
    "SC_rgb_rle_16bit.dcm",
    "rtdose_rle.dcm",
    "image_dfl.dcm",
    "MR_small_bigendian.dcm",
    "SC_rgb_small_odd_big_endian.dcm",
)
DECODED_KEYWORDS = {"PixelData", "PhotometricInterpretation", "PlanarConfiguration", "LossyImageCompression"}


def shipped(name: str) -> StoredObject:
    dataset = dcmread(SHIPPED / name, stop_before_pixels=True)
    syntax = str(dataset.file_meta.TransferSyntaxUID)
    return StoredObject(SHIPPED / name, str(dataset.SOPClassUID), str(dataset.SOPInstanceUID), syntax)


def decoded(data: bytes | memoryview, syntax: str) -> Dataset:
    uid = UID(syntax)
    raw = zlib.decompress(data, -15) if uid.is_deflated else bytes(data)
    dataset = read_dataset(io.BytesIO(raw), uid.is_implicit_VR, uid.is_little_endian)
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = uid
    return dataset


def pixels(source: Path | Dataset) -> NDArray[Any]:
    return np.array([frame for frame, _ in frames_of(source)])


@pytest.fixture
def objects() -> list[StoredObject]:
    """The shipped files as an archive would send them."""
    return [shipped(name) for name in FILES]


@pytest.mark.parametrize("wanted", [EXPLICIT, IMPLICIT, syntaxes.DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN])
@pytest.mark.parametrize("name", FILES)
def test_the_pixels_and_every_other_element_stay(name: str, wanted: str) -> None:
    before = dcmread(SHIPPED / name)
    after = decoded(transcode(SHIPPED / name, wanted), wanted)
    assert np.array_equal(pixels(SHIPPED / name), pixels(after))
    assert pixels(after).dtype.str[1:] == pixels(SHIPPED / name).dtype.str[1:]
    # Group lengths are retired and would be wrong.
    kept = [element for element in before if element.keyword not in DECODED_KEYWORDS and element.tag.element]
    for element in kept:
        found = after[element.tag]
        if wanted == IMPLICIT and element.tag.is_private:
            continue  # no VR is sent with them, so they are what the reader makes of them
        assert found.value == element.value or element.VR in ("OW", "UN"), element
    assert {element.tag for element in after} <= {element.tag for element in before} | {0x00282110}


@pytest.mark.parametrize(
    ("name", "photometric"),
    [
        ("SC_rgb_dcmtk_+eb+cr.dcm", "RGB"),
        ("SC_rgb_dcmtk_+eb+cy+np.dcm", "RGB"),
        ("GDCMJ2K_TextGBR.dcm", "RGB"),
        ("SC_rgb_jls_lossy_line.dcm", "RGB"),
        ("JPGExtended.dcm", "MONOCHROME2"),
    ],
)
def test_the_header_says_what_the_pixels_now_are(name: str, photometric: str) -> None:
    before, after = dcmread(SHIPPED / name), decoded(transcode(SHIPPED / name, EXPLICIT), EXPLICIT)
    assert after.PhotometricInterpretation == photometric
    assert after.get("PlanarConfiguration") == (0 if after.SamplesPerPixel > 1 else None)
    assert ("OB" if after.BitsAllocated == 8 else "OW") == after["PixelData"].VR
    assert len(after.PixelData) % 2 == 0
    assert after.SOPInstanceUID == before.SOPInstanceUID
    lossy = before.file_meta.TransferSyntaxUID in ("1.2.840.10008.1.2.4.50", JPEGExtended12Bit)
    assert after.get("LossyImageCompression") == ("01" if lossy else before.get("LossyImageCompression"))


def test_a_lossless_syntax_keeps_its_colour_model(tmp_path: Path) -> None:
    dataset = dcmread(SHIPPED / "SC_rgb_rle.dcm")
    dataset.PhotometricInterpretation = "YBR_FULL"
    dataset.save_as(tmp_path / "ybr.dcm")
    after = decoded(transcode(tmp_path / "ybr.dcm", EXPLICIT), EXPLICIT)
    assert after.PhotometricInterpretation == "YBR_FULL"
    assert np.array_equal(pixels(after), pixels(tmp_path / "ybr.dcm"))


def recompressed(path: Path, syntax: UID, frames: list[bytes], image: NDArray[Any]) -> Path:
    dataset = dcmread(SHIPPED / "MR_small.dcm")
    dataset.Rows, dataset.Columns = image.shape[:2]
    dataset.BitsAllocated, dataset.BitsStored = 16, 12
    dataset.HighBit, dataset.PixelRepresentation = 11, 0
    dataset.NumberOfFrames = len(frames)
    dataset.PixelData = encapsulate(frames)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path)
    return path


@pytest.mark.parametrize("syntax", [HTJ2KLossless, HTJ2K, JPEGLossless])
def test_what_no_shipped_file_is_in(tmp_path: Path, syntax: UID) -> None:
    image = np.arange(48 * 40, dtype=np.uint16).reshape(48, 40) * 2
    encoded = jpeg8_encode(image, lossless=True, bitspersample=12) if syntax == JPEGLossless else htj2k_encode(image)
    path = recompressed(tmp_path / "it.dcm", syntax, [bytes(encoded)] * 3, image)
    after = decoded(transcode(path, IMPLICIT), IMPLICIT)
    assert np.array_equal(pixels(after), np.array([image] * 3))


def test_a_large_one_is_not_held_in_memory(tmp_path: Path) -> None:
    image = np.zeros((1024, 1024), dtype=np.uint16)
    path = recompressed(tmp_path / "it.dcm", HTJ2KLossless, [bytes(htj2k_encode(image))] * 8, image)
    given = transcode(path, EXPLICIT)
    assert isinstance(given, memoryview)
    assert len(given) > 16 << 20
    # What it lies in has no name.
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda dataset: setattr(dataset, "Rows", 32), "64 x 64"),
        (lambda dataset: setattr(dataset, "NumberOfFrames", 3), "frame"),
        (lambda dataset: setattr(dataset, "PixelData", encapsulate([b"\xff\xd8nothing"])), "cannot be decoded"),
        (lambda dataset: setattr(dataset, "BitsAllocated", 1), "bits"),
    ],
)
def test_what_cannot_be_decoded_is_told(tmp_path: Path, change: Any, told: str) -> None:
    dataset = dcmread(SHIPPED / "MR_small_jpeg_ls_lossless.dcm")
    change(dataset)
    dataset.save_as(tmp_path / "it.dcm")
    with pytest.raises(TranscodeError, match=told):
        transcode(tmp_path / "it.dcm", EXPLICIT)


def test_nothing_is_ever_compressed() -> None:
    with pytest.raises(TranscodeError, match="cannot be turned into JPEG Baseline"):
        transcode(SHIPPED / "CT_small.dcm", "1.2.840.10008.1.2.4.50")


# --- over the wire ---------------------------------------------------------------------------------------------------


def test_a_peer_that_takes_it_gets_the_bytes_of_the_file(objects: list[StoredObject]) -> None:
    got: list[StoreRequest] = []
    kept: list[bytes] = []
    services = Services(
        store=lambda request: kept.append(bytes(request.dataset)) or got.append(request) or StoreStatus(0)
    )
    with serving(services, contexts=syntaxes.storage_contexts()) as served:
        opened = served.requestor().associate(served.peer, contexts_for_storage(objects))
        assert isinstance(opened, Association)
        with opened:
            assert all(opened.store(item).succeeded for item in objects)
    assert [one.transfer_syntax for one in got] == [item.transfer_syntax for item in objects]
    assert kept == [bytes(read_encoded(item.path)) for item in objects]


@pytest.mark.parametrize("takes", [EXPLICIT, IMPLICIT])
def test_a_stock_peer_that_takes_only_uncompressed_gets_the_same_pixels(
    objects: list[StoredObject], takes: str
) -> None:
    got: list[tuple[str, Dataset]] = []

    def store(event: Any) -> int:
        got.append((str(event.context.transfer_syntax), decoded(event.request.DataSet.getvalue(), takes)))
        return 0x0000

    ae = AE("STOCK")
    for sop_class in {item.sop_class for item in objects}:
        ae.add_supported_context(sop_class, takes)
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, store)])
    try:
        final = move_between(objects, server.server_address[1], Recorder())[-1]
    finally:
        server.shutdown()
    assert (final.status, final.completed, final.failed) == (0x0000, len(objects), 0)
    assert {syntax for syntax, _ in got} == {takes}
    for item, (_, dataset) in zip(objects, got, strict=True):
        assert dataset.SOPInstanceUID == item.sop_instance
        assert np.array_equal(pixels(item.path), pixels(dataset)), item.path.name


def test_a_get_transcodes_as_well(objects: list[StoredObject]) -> None:
    got: list[tuple[str, bytes]] = []
    classes = sorted({item.sop_class for item in objects})
    wire = syntaxes.storage_contexts(classes, (IMPLICIT,), peer_may_be_scp=True)
    services = Services(get=lambda found: RetrievePlan(tuple(objects)))
    with serving(services, contexts=(*wire, *syntaxes.query_retrieve_get())) as served:
        opened = served.requestor().associate(
            served.peer, (*syntaxes.query_retrieve_get(), *wire), roles=tuple(classes)
        )
        assert isinstance(opened, Association)
        with opened:
            keep = lambda one: got.append((one.transfer_syntax, bytes(one.dataset))) or StoreStatus(0)  # noqa: E731
            final = list(opened.get(syntaxes.STUDY_ROOT_GET, query(StudyInstanceUID="1"), keep))[-1]
    assert (final.status, final.completed) == (0x0000, len(objects))
    for item, (syntax, data) in zip(objects, got, strict=True):
        assert syntax == IMPLICIT
        assert np.array_equal(pixels(item.path), pixels(decoded(data, IMPLICIT)))


def test_what_fails_to_decode_fails_alone(objects: list[StoredObject], tmp_path: Path) -> None:
    broken = dcmread(SHIPPED / "MR_small_jpeg_ls_lossless.dcm")
    broken.PixelData = encapsulate([b"\xff\xd8\xff\xf7 no image at all"])
    broken.save_as(tmp_path / "broken.dcm")
    objects[1:1] = [
        replace(shipped("MR_small_jpeg_ls_lossless.dcm"), path=tmp_path / "broken.dcm", sop_instance="1.2.77"),
        StoredObject(SHIPPED / "CT_small.dcm", objects[0].sop_class, "1.2.78", "1.2.840.10008.1.2.4.100"),
    ]
    got: list[str] = []
    classes = {item.sop_class for item in objects}
    services = Services(store=lambda request: got.append(request.sop_instance) or StoreStatus(0))
    with serving(services, ae_title="WS1", contexts=syntaxes.storage_contexts(classes, (IMPLICIT,))) as sink:
        final = move_between(objects, sink.port, Recorder())[-1]
    assert (final.status, final.completed, final.failed) == (0xB000, len(objects) - 2, 2)
    assert final.failed_uids == ("1.2.77", "1.2.78")
    assert "cannot be decoded" in final.comment
    assert len(got) == len(objects) - 2


@pytest.fixture
def storescp(tmp_path: Path) -> Iterator[tuple[Peer, Path]]:
    """dcmtk's, which by default takes only uncompressed transfer syntaxes."""
    from .support import unused_port

    received, port = tmp_path / "received", unused_port()
    received.mkdir()
    running = subprocess.Popen([tool("storescp"), "-aet", "WS1", "-od", str(received), str(port)])
    peer = Peer("WS1", "127.0.0.1", port)
    try:
        wait_until(lambda: answers_echo(peer))
        yield peer, received
    finally:
        running.terminate()
        running.wait(5)


@pytest.mark.tools
def test_storescp_gets_the_same_pixels(storescp: tuple[Peer, Path], objects: list[StoredObject]) -> None:
    peer, received = storescp
    opened = make_requestor().associate(peer, contexts_for_storage(objects))
    assert isinstance(opened, Association)
    with opened:
        for item in objects:
            if item.path.name == "rtdose_rle.dcm":
                continue  # dcmtk finds no SOP class in this one, not even in the file itself
            assert opened.store(item).succeeded, item.path.name
            wait_until(lambda: any(received.iterdir()))
            (file,) = received.iterdir()
            assert dcmread(file).file_meta.TransferSyntaxUID in syntaxes.CONVERTIBLE
            assert np.array_equal(pixels(item.path), pixels(file)), item.path.name
            file.unlink()


# --- what is offered and taken ---------------------------------------------------------------------------------------


def test_each_sop_class_is_offered_uncompressed_too() -> None:
    ct, us = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.3.1"
    items = [
        StoredObject(Path("x"), sop_class, "1", syntax)
        for sop_class, syntax in ((ct, "1.2.840.10008.1.2.4.70"), (ct, EXPLICIT), (us, "1.2.840.10008.1.2.4.100"))
    ]
    offered = [(one.abstract_syntax, one.transfer_syntaxes) for one in contexts_for_storage(items)]
    assert offered == [
        (ct, ("1.2.840.10008.1.2.4.70",)),
        (ct, (EXPLICIT, IMPLICIT)),
        # Nobody decodes a film here.
        (us, ("1.2.840.10008.1.2.4.100",)),
    ]


@pytest.mark.parametrize(
    ("stored", "offered"),
    [
        ((EXPLICIT,), [(EXPLICIT, IMPLICIT)]),
        ((IMPLICIT,), [(IMPLICIT,), (EXPLICIT,)]),
        ((IMPLICIT, EXPLICIT), [(IMPLICIT,), (EXPLICIT,)]),
        (("1.2.840.10008.1.2.4.70",), [("1.2.840.10008.1.2.4.70",), (EXPLICIT, IMPLICIT)]),
    ],
)
def test_explicit_vr_takes_implicit_vr_into_its_context(
    stored: tuple[str, ...], offered: list[tuple[str, ...]]
) -> None:
    """GDCM receives on the wrong one of two contexts of a SOP class."""
    items = [StoredObject(Path("x"), "1.2.840.10008.5.1.4.1.1.2", "1", syntax) for syntax in stored]
    assert [one.transfer_syntaxes for one in contexts_for_storage(items)] == offered
    exact = contexts_for_storage(items, transcode=False)
    assert [one.transfer_syntaxes for one in exact] == [(syntax,) for syntax in stored]


def test_the_list_of_what_is_decodable_is_true() -> None:
    for uid in syntaxes.ALL_TRANSFER_SYNTAXES:
        assert can_decode(uid) == (uid in syntaxes.CONVERTIBLE | syntaxes.DECODABLE), UID(uid).name


def test_every_storage_sop_class_of_the_standard_is_accepted() -> None:
    # Services about storing, media, and the storage of what belongs to no patient (PS3.4 GG).
    other = (
        "Storage Commitment",
        "Media Storage Directory",
        "Hanging Protocol",
        "Color Palette",
        "Generic Implant Template",
        "Implant ",
        "CT Defined Procedure Protocol",
        "XA Defined Procedure Protocol",
        "Protocol Approval",
        "Inventory",
    )
    storage = {
        uid
        for uid, (name, kind, *_) in UID_dictionary.items()
        if kind == "SOP Class" and "Storage" in name and not name.startswith(other)
    }
    assert len(storage) > 150
    assert storage <= set(syntaxes.STORAGE_CLASSES)


def test_a_private_transfer_syntax_is_refused_with_its_context_alone() -> None:
    ge = "1.2.840.113619.5.2"
    ct = "1.2.840.10008.5.1.4.1.1.2"
    with serving(contexts=syntaxes.storage_contexts()) as served:
        offers = (*syntaxes.storage_contexts((ct,), (ge,)), *syntaxes.storage_contexts((ct,), (EXPLICIT,)))
        opened = served.requestor().associate(served.peer, offers)
        assert isinstance(opened, Association)
        with opened:
            assert [context.accepted for context in opened.contexts] == [False, True]
            # PS3.8 9.3.3.2: transfer syntaxes not supported.
            assert int(opened.contexts[0].result) == 4
    assert not can_decode(ge)
