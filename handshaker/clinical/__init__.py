"""Clinical payloads: true FHIR R4, real LOINC and UCUM codes, and values that a living person can have.

Every check returns or raises problems of the form ``{"path", "problem"}`` whose words never repeat a name, free text or
a reading; a measured value and its unit stand apart under ``data``, for the person who typed them and for no log.
"""
