"""
What the server tells browsers to refuse: everything that does not come from itself, and being framed by others.

Of scripts in the page, those that it had when it was sent are run, known by a number that is used once; what gets into
it later, by whatever hole, is not.
"""

import re
import secrets

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import OutputTransform

CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        # Bokeh's page starts itself by an inline script, and Panel's components are modules made in the page (blob:).
        "script-src 'self' 'unsafe-inline' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "connect-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)
"""Also in the page's own head, where `frame-ancestors` would be ignored, for servers that add no headers."""

HEADERS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


_SCRIPT = re.compile(rb"<script\b", re.IGNORECASE)


def policy(nonce: str) -> str:
    """CONTENT_POLICY for one answer, but of inline scripts those alone that bear `nonce`."""
    content = CONTENT_POLICY.replace("'unsafe-inline'", f"'nonce-{nonce}'", 1)
    return f"{content}; frame-ancestors 'none'"


class SecurityHeaders(OutputTransform):
    """Puts HEADERS on every answer of a Tornado application: append the class to its `transforms`."""

    def __init__(self, request: HTTPServerRequest) -> None:
        """Tornado makes one for each request; the answer does not depend on it."""

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        for name, value in HEADERS.items():
            headers[name] = value
        nonce = secrets.token_urlsafe(16)
        headers["Content-Security-Policy"] = policy(nonce)
        if headers.get("Content-Type", "").startswith("text/html") and finishing:
            chunk = _SCRIPT.sub(b'<script nonce="%s"' % nonce.encode(), chunk)
            if "Content-Length" in headers:
                headers["Content-Length"] = str(len(chunk))
        return super().transform_first_chunk(status_code, headers, chunk, finishing)
