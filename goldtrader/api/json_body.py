"""Reads the JSON of a request's body; whatever is wrong with it is the caller's 400."""

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from django.conf import settings
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import BaseParser

#: Digits of a whole number that Python reads without being asked twice.
_LONGEST_NUMBER = 4300


class JSONBodyParser(BaseParser):
    """Parses JSON as RFC 8259 has it, at a depth and of texts that the product can hold."""

    media_type = "application/json"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,  # noqa: ARG002
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> Any:
        """The value of the body; raises `ParseError` or `ValidationError`."""
        # The announced length was judged before; this holds whoever forgot to announce one.
        body = stream.read(settings.REQUEST_BODY_LIMIT + 1)
        if len(body) > settings.REQUEST_BODY_LIMIT:
            raise ParseError("The body is too large.")
        try:
            value = json.loads(body, parse_constant=_refuse, parse_float=_finite, parse_int=_whole)
        except RecursionError:
            raise ParseError("The JSON of the body is nested too deeply.") from None
        except ValueError as wrong:
            raise ParseError(f"The body is not JSON: {wrong}.") from None
        _check_texts(value)
        return value


def _refuse(name: str) -> NoReturn:
    raise ParseError(f"The body is not JSON: {name} is no number.")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ParseError("The body holds a number that is too large.")
    return number


def _whole(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise ParseError("The body holds a number that is too large.")
    return int(text)


def _check_texts(value: Any) -> None:
    """Raise `ValidationError` for a text that is no text: a NUL, or half of a UTF-16 pair."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            waiting += each.keys()
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
        elif isinstance(each, str) and not _is_text(each):
            raise ValidationError("The body holds a character that no text can have.")


def _is_text(text: str) -> bool:
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False
