"""Parts of the application that modules decorate with, made before there is an application."""

from __future__ import annotations

from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf import CSRFProtect

csrf = CSRFProtect()
limiter = Limiter(get_remote_address, storage_uri="memory://", headers_enabled=True, strategy="moving-window")
"""Counts in this process: one process serves the web application."""
