"""The mini PACS: image store, index, query matching and retrieve planning.

It keeps one promise before all others: what was answered 0000 is on disk and in the index. Modalities and workstations
use the same ``Archive`` as their local disk. DICOM comes in and goes out as the values of sandbox.dicom.contract.
"""
