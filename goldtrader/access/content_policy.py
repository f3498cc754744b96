"""Content-Security-Policy: what a page may load and run."""

from csp.constants import HEADER, UNSAFE_EVAL
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponseBase

_ADMIN = "/admin/"
#: The one script within a page: the timetable's form, which django-celery-beat brings (2.9.0).
_TIMETABLE_SCRIPT = "'sha256-QE3U2xYF7B4J2ro1/9oxiKhaWCGW39gB7ocQ/xlD0bE='"
_API = "/api/"
#: For answers that are data: a browser that is led to one shows it and does nothing else.
_DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"


class ContentPolicy(CSPMiddleware):
    """Sends the policy of the settings; the admin's theme may evaluate its own attributes too.

    Unfold builds on Alpine.js, whose expressions stand in attributes and are compiled by the
    browser; no script from elsewhere runs by that.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        is_page = response.get("Content-Type", "").startswith("text/html")
        if request.path.startswith(_API) and not is_page:
            # Known beforehand: an answer of the API takes two milliseconds in all.
            response[HEADER] = _DATA_POLICY
            return response
        return super().process_response(request, response)

    def get_policy_parts(
        self,
        request: HttpRequest,
        response: HttpResponseBase,
        report_only: bool = False,
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.path.startswith(_ADMIN):
            parts.update = {**(parts.update or {}), "script-src": [UNSAFE_EVAL, _TIMETABLE_SCRIPT]}
        return parts
