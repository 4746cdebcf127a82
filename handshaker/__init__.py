"""The Blockchain Handshaker: a carrier of signed statements between hospital applications and an Ethereum chain.

``messages`` names what flows, ``ports`` what the outside must offer, ``bootstrap`` puts a working Handshaker
together. The library knows no web framework; what is exported here is all that a face such as ``webapp`` may use.
"""

from handshaker import errors, logs, metrics, vocabulary
from handshaker.audit.check_proof import Check as ProofCheck
from handshaker.audit.check_proof import Unusable as ProofUnusable
from handshaker.audit.errors import LogDoesNotVerify, LogHeld, NotAnchoredYet
from handshaker.audit_log import LogLine, LogSummary
from handshaker.bootstrap import Handshaker, make_handshaker
from handshaker.clinical import demographics, writing
from handshaker.clinical.unusual import is_unusual
from handshaker.crash_points import crash_point
from handshaker.envelope import SCHEMA as TRANSACTION_SCHEMA
from handshaker.envelope import parse_json
from handshaker.errors import (
    CodeRefused,
    HandshakerError,
    LoginRefused,
    NotAuthenticated,
    PasswordRefused,
    UsernameRefused,
    UsernameTaken,
)
from handshaker.explorer import Activity, Status, TransactionFile
from handshaker.explorer import Row as TransactionRow
from handshaker.health import Check
from handshaker.health import State as HealthState
from handshaker.health import overall as overall_health
from handshaker.intake import Submission
from handshaker.logins import TotpEnrolment
from handshaker.messages import Acknowledgement, Event, EventKind, Template, Token
from handshaker.proofs import AnchoredHead, Examination
from handshaker.reasons import reason_of
from handshaker.records.access_log import Look
from handshaker.records.chart import CHART_CATEGORIES, Chart, Entry
from handshaker.records.drafts import Draft
from handshaker.records.gateway import Permission
from handshaker.records.identities import Identity
from handshaker.records.requests import ConsentRequest
from handshaker.records.submissions import SentRecord
from handshaker.records.trends import Series
from handshaker.registrar import Registered
from handshaker.schemas import compile_schema, problems_of
from handshaker.sessions import OpenSession, Session
from handshaker.settings import Settings, read_settings
from handshaker.staff import Member
from handshaker.template_review import DryRun, Proposal
from handshaker.tokens import Credential
from handshaker.vocabulary import ActorKind, Purpose

__all__ = [
    "CHART_CATEGORIES",
    "TRANSACTION_SCHEMA",
    "Acknowledgement",
    "Activity",
    "ActorKind",
    "AnchoredHead",
    "Chart",
    "Check",
    "CodeRefused",
    "ConsentRequest",
    "Credential",
    "Draft",
    "DryRun",
    "Entry",
    "Event",
    "EventKind",
    "Examination",
    "Handshaker",
    "HandshakerError",
    "HealthState",
    "Identity",
    "LogDoesNotVerify",
    "LogHeld",
    "LogLine",
    "LogSummary",
    "LoginRefused",
    "Look",
    "Member",
    "NotAnchoredYet",
    "NotAuthenticated",
    "OpenSession",
    "PasswordRefused",
    "Permission",
    "ProofCheck",
    "ProofUnusable",
    "Proposal",
    "Purpose",
    "Registered",
    "SentRecord",
    "Series",
    "Session",
    "Settings",
    "Status",
    "Submission",
    "Template",
    "Token",
    "TotpEnrolment",
    "TransactionFile",
    "TransactionRow",
    "UsernameRefused",
    "UsernameTaken",
    "compile_schema",
    "crash_point",
    "demographics",
    "errors",
    "is_unusual",
    "logs",
    "make_handshaker",
    "metrics",
    "overall_health",
    "parse_json",
    "problems_of",
    "read_settings",
    "reason_of",
    "vocabulary",
    "writing",
]
