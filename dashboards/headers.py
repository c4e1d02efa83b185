"""What the server tells browsers to refuse: everything that does not come from itself, and being framed by others."""

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
    "Content-Security-Policy": f"{CONTENT_POLICY}; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class SecurityHeaders(OutputTransform):
    """Puts HEADERS on every answer of a Tornado application: append the class to its `transforms`."""

    def __init__(self, request: HTTPServerRequest) -> None:
        """Tornado makes one for each request; the answer does not depend on it."""

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        for name, value in HEADERS.items():
            headers[name] = value
        return super().transform_first_chunk(status_code, headers, chunk, finishing)
