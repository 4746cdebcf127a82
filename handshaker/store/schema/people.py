"""Who is who: the directory's copy, patients, logins, sessions and tokens."""

from __future__ import annotations

import sqlalchemy as sa

from handshaker.store.schema.columns import UtcDateTime, metadata, sealed

organisations = sa.Table(
    "organisations",
    metadata,
    sa.Column("organisation_id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)
"""A copy of the directory on chain, with names."""

actors = sa.Table(
    "actors",
    metadata,
    sa.Column("actor_id", sa.String(66), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("address", sa.String(42), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("organisation_id", sa.Integer),
    sa.Column("licence_until", UtcDateTime),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("custodial", sa.Boolean, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)
"""Everybody who signs; a copy of the directory on chain, with names of practitioners (never of patients)."""

patients = sa.Table(
    "patients",
    metadata,
    sa.Column("patient_id", sa.String(66), primary_key=True),
    sa.Column("identifier_index", sa.String(64), unique=True),
    sa.Column("registered_at", UtcDateTime, nullable=False),
    *sealed("demographics", nullable=True),
)
"""Pseudonyms; ``identifier_index`` is a keyed hash of the identifier that the patient came with."""

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("token_id", sa.String(32), primary_key=True),
    sa.Column("actor_id", sa.String(66), nullable=False, index=True),
    sa.Column("secret_hash", sa.LargeBinary, nullable=False),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("label", sa.String(80), nullable=False, server_default=""),
    sa.Column("issued_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Column("revoked_at", UtcDateTime),
)

logins = sa.Table(
    "logins",
    metadata,
    sa.Column("actor_id", sa.String(66), primary_key=True),
    sa.Column("username", sa.String(80), nullable=False, unique=True),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("key_salt", sa.LargeBinary, nullable=False),
    *sealed("totp", nullable=True),
    sa.Column("totp_step", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("blocked_until", UtcDateTime),
    sa.Column("changed_at", UtcDateTime, nullable=False),
)
"""How people log in. ``key_salt`` derives from the password what opens the signing key; ``totp_step`` is the last time
step whose code was used (RFC 6238), so that none is used twice."""

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("session_id", sa.String(32), primary_key=True),
    sa.Column("actor_id", sa.String(66), nullable=False, index=True),
    sa.Column("secret_hash", sa.LargeBinary, nullable=False),
    sa.Column("needs", sa.String(16), nullable=False, server_default=""),
    sa.Column("opened_at", UtcDateTime, nullable=False),
    sa.Column("seen_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Column("locked_at", UtcDateTime),
    sa.Column("ended_at", UtcDateTime),
)
"""Logins that are under way. ``needs`` names what must be done before anything else (``totp``)."""

consent_requests = sa.Table(
    "consent_requests",
    metadata,
    sa.Column("request_id", sa.String(36), primary_key=True),
    sa.Column("patient_id", sa.String(66), nullable=False, index=True),
    sa.Column("grantee", sa.String(80), nullable=False),
    sa.Column("purpose", sa.Integer, nullable=False),
    sa.Column("read_mask", sa.BigInteger, nullable=False),
    sa.Column("write_mask", sa.BigInteger, nullable=False),
    sa.Column("requested_by", sa.String(66), nullable=False),
    sa.Column("requested_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("patient_id", "grantee", "purpose", "read_mask", "write_mask"),
)
"""What an organisation would like a patient to allow."""
