"""Quantities in the one spelling that the API server stores: ``0.5`` cpu is ``500m``, ``1024Mi`` is ``1Gi``.

A builder that emitted another spelling would cause a write on every sync, so a quantity is brought into this form
where it enters, while the parent is read.
"""

import re
from decimal import ROUND_CEILING, Decimal, localcontext
from functools import lru_cache, partial
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

PATTERN = r"^[+-]?([0-9]+|[0-9]+[.][0-9]*|[.][0-9]+)(([KMGTPE]i)|[numkMGTPE]|([eE][+-]?[0-9]+))?$"
DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_MATCH = re.compile(PATTERN)
WHAT = "must be a quantity such as 500m, 2 or 1Gi"
MILLI, NANO = Decimal("1e-3"), Decimal("1e-9")
_MAX, _DIGITS = Decimal(2**63 - 1), 19
MOST_LETTERS = 64


@lru_cache(maxsize=4096)
def canonical(text: str, grain: Decimal = MILLI) -> str:
    """The stored spelling of a quantity. Source: the text form of ``resource.Quantity``.

    What a container asks for is rounded up to a thousandth, other quantities to a billionth (``NANO``). Raises ValueError,
    without the text, where it is no quantity.
    """
    found = _MATCH.match(text)
    if not found or len(text) > MOST_LETTERS:
        raise ValueError(WHAT)
    try:
        return _spelled(text[: len(text) - len(found[2] or "")], found[2] or "", grain)
    except ArithmeticError:
        raise ValueError(WHAT) from None


def amount(text: str) -> Decimal:
    """The number that a quantity stands for; ValueError, without the text, where it is none."""
    found = _MATCH.match(text)
    if not found:
        raise ValueError(WHAT)
    suffix, number = found[2] or "", Decimal(text[: len(text) - len(found[2] or "")])
    if suffix in BINARY:
        return number * Decimal(1024) ** BINARY[suffix]
    return number.scaleb(int(suffix[1:]) if suffix[:1] in ("e", "E") and suffix != "E" else DECIMAL[suffix])


def _spelled(number: str, suffix: str, grain: Decimal) -> str:
    with localcontext() as context:
        context.prec = 60
        if suffix in BINARY:
            value = _bounded(Decimal(number) * 1024 ** BINARY[suffix], grain)
            return _binary(value) if abs(value) >= 1024 and value == int(value) else _decimal(value, "")
        if suffix[:1] in ("e", "E") and suffix != "E":
            return _decimal(_bounded(Decimal(number).scaleb(int(suffix[1:])), grain), "e")
        return _decimal(_bounded(Decimal(number).scaleb(DECIMAL[suffix]), grain), "")


def _bounded(value: Decimal, grain: Decimal) -> Decimal:
    """Rounded up to the grain and cut at 2^63-1, as the API server does."""
    if value.adjusted() >= _DIGITS:
        return _MAX.copy_sign(value)
    rounded = value.copy_abs().quantize(grain, rounding=ROUND_CEILING)
    return min(rounded, _MAX).copy_sign(value)


def _binary(value: Decimal) -> str:
    whole, power = abs(int(value)), 0
    while whole and whole % 1024 == 0 and power < 6:
        whole, power = whole // 1024, power + 1
    sign = "-" if value < 0 else ""
    return f"{sign}{whole}{next((s for s, p in BINARY.items() if p == power), '')}"


def _decimal(value: Decimal, style: str) -> str:
    nanos, exponent = int(value.scaleb(9)), -9
    if nanos == 0:
        return "0"
    while nanos % 1000 == 0 and (exponent < 18 or style == "e"):
        nanos, exponent = nanos // 1000, exponent + 3
    if style == "e":
        return f"{nanos}e{exponent}" if exponent else str(nanos)
    return f"{nanos}{next(s for s, e in DECIMAL.items() if e == exponent)}"


def _read(value: object, grain: Decimal = MILLI) -> object:
    return canonical(str(value), grain) if isinstance(value, int | str) and not isinstance(value, bool) else value


_SCHEMA = WithJsonSchema(
    {
        "x-kubernetes-int-or-string": True,
        "pattern": PATTERN,
        "maxLength": MOST_LETTERS,
        "anyOf": [{"type": "integer"}, {"type": "string"}],
    }
)
Quantity = Annotated[str, BeforeValidator(_read), _SCHEMA]
FineQuantity = Annotated[str, BeforeValidator(partial(_read, grain=NANO)), _SCHEMA]
