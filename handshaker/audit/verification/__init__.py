"""The verifier of the audit log: recomputes it, and names the first entry that is bad and what happened to it.

``scan`` reads every entry once. What looks odd is explained by ``alignment``, which asks the seals where entries
belong, by ``standing``, which asks the anchors how far the log is proven, and by ``evidence``, which asks the chain
about each acknowledgement. ``judgement`` makes of it as few findings as say it all.
"""

from handshaker.audit.verification.report import Finding, Proven, Report, What
from handshaker.audit.verification.sources import Progress, Silence
from handshaker.audit.verification.verifier import House, Verifier

__all__ = ["Finding", "House", "Progress", "Proven", "Report", "Silence", "Verifier", "What"]
