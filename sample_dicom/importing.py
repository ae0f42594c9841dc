"""Import of real DICOM files: look through a folder, then stage what was found as a collection a lab can start with."""

from __future__ import annotations

from sample_dicom.collection import (
    CollectedPatient,
    CollectedSeries,
    CollectedStudy,
    ImportManifest,
    collected_files,
    load_manifest,
    stage,
)
from sample_dicom.scanning import (
    FoundInstance,
    FoundStudy,
    ImportProgress,
    ImportReport,
    LeftOut,
    scan_folder,
    studies_in,
)

__all__ = [
    "CollectedPatient",
    "CollectedSeries",
    "CollectedStudy",
    "FoundInstance",
    "FoundStudy",
    "ImportManifest",
    "ImportProgress",
    "ImportReport",
    "LeftOut",
    "collected_files",
    "load_manifest",
    "scan_folder",
    "stage",
    "studies_in",
]
