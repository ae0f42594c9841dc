"""PACS Sandbox: a simulated imaging department of real DICOM nodes, and everything that breaks and judges it.

Imports run one way, from the top of this list to the bottom; tests/test_import_direction.py enforces it:
cli → host → drill → lab → faults, checks → nodes → archive, hl7 → network, dicom → events → model.
"""

__version__ = "0.1.0"
