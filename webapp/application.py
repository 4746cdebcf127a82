"""The application: Flask with its guards, put together for one Handshaker."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Response
from flask_babel import Babel
from flask_talisman import Talisman

from handshaker import Handshaker, Settings, errors
from webapp import access, api, error_pages, formats, looks, navigation, numbering
from webapp.accounts import accounts
from webapp.administration import administration
from webapp.care import care
from webapp.extensions import csrf, limiter
from webapp.proofs import proofs

CONTENT_SECURITY_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
_KEY_BYTES = 32
PERMISSIONS = {name: "()" for name in ("camera", "geolocation", "microphone", "payment", "usb", "browsing-topics")}


def make_app(handshaker: Handshaker) -> Flask:
    """Return the web application of ``handshaker``."""
    settings = handshaker.settings
    app = Flask(__name__)
    app.config.from_mapping(_configuration(settings))
    app.extensions["handshaker"] = handshaker
    numbering.register(app)
    app.before_request(access.guard)
    app.after_request(_keep_out_of_caches)
    csrf.init_app(app)
    limiter.init_app(app)
    Babel(app, default_locale=settings.locale, default_timezone=settings.timezone)
    Talisman(app, **_headers(settings))
    access.anybody(app.view_functions["static"])
    for blueprint in (accounts, care, administration, proofs):
        app.register_blueprint(blueprint)
    api.register(app)
    error_pages.register(app)
    looks.register(app)
    formats.register(app)
    navigation.register(app)
    return app


def _configuration(settings: Settings) -> dict[str, object]:
    hosts = ["localhost", "127.0.0.1", "[::1]", settings.web_host, urlsplit(settings.public_url).hostname]
    return {
        "SECRET_KEY": _secret_key(settings.instance / "keys" / "web.key"),
        "SESSION_COOKIE_NAME": "__Host-handshaker",
        "SESSION_COOKIE_SECURE": True,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "MAX_CONTENT_LENGTH": settings.payload_limit + 100_000,
        "TRUSTED_HOSTS": sorted({host for host in hosts if host}),
        "WTF_CSRF_TIME_LIMIT": None,
        "WTF_CSRF_SSL_STRICT": True,
        "BABEL_TRANSLATION_DIRECTORIES": "translations",
        "RATELIMIT_ENABLED": settings.web_rate_limits,
        "TEMPLATES_AUTO_RELOAD": False,
    }


def _headers(settings: Settings) -> dict[str, object]:
    is_public = settings.public_url.startswith("https://")
    return {
        "content_security_policy": CONTENT_SECURITY_POLICY,
        "permissions_policy": PERMISSIONS,
        # Not "no-referrer": over HTTPS a form is believed only where it says which of our pages it stood on.
        "referrer_policy": "same-origin",
        "frame_options": "DENY",
        "force_https": is_public,
        "strict_transport_security": is_public,
        "session_cookie_secure": True,
        "session_cookie_http_only": True,
        "session_cookie_samesite": "Lax",
        "x_xss_protection": False,
    }


def _keep_out_of_caches(response: Response) -> Response:
    """Let nothing that only one person may see stay behind in a shared browser; what is the same for all may."""
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    return response


def _secret_key(path: Path) -> bytes:
    """Return the key that signs cookies, made the first time; raises ``SettingsInvalid`` for a file that holds none."""
    if not path.exists():
        _write_key(path)
    key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise errors.SettingsInvalid(
            "The file keys/web.key of the instance holds no key: delete it.", setting="instance"
        )
    return key


def _write_key(path: Path) -> None:
    """Write a key that is there as a whole or not at all, also when two processes begin at once."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_bytes(_KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
