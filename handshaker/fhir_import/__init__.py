"""Import of FHIR R4 bundles, as Synthea and others write them: one patient a file, through the whole pipeline.

Nothing goes past the gates: the importer registers, asks for consent and submits as anybody would, and what is stored
is the resource as it came. Neither its progress nor its summary holds a name, an identifier or a reading.
"""

from __future__ import annotations

from handshaker.fhir_import.bundles import Bundle, BundleFile, PatientMissing, read_bundles
from handshaker.fhir_import.importer import Importer
from handshaker.fhir_import.inbox import ImportStalled
from handshaker.fhir_import.progress import Progress
from handshaker.fhir_import.summary import ImportSummary

__all__ = [
    "Bundle",
    "BundleFile",
    "ImportStalled",
    "ImportSummary",
    "Importer",
    "PatientMissing",
    "Progress",
    "read_bundles",
]
