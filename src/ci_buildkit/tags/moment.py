"""Times written in the format language of moment.js, in English (moment.js, `addFormatToken` and `formatMoment`)."""

from __future__ import annotations

import functools
import re
import zoneinfo
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo

_TOKEN = re.compile(
    r"(\[[^\[]*\])|(\\e)|(\\)?(eHHmm|[Hh]mm(?:ss)?|Mo|MM?M?M?|Do|DDDo|DD?D?D?|ddd?d?|do?|w[o|w]?|W[o|W]?|Qo?|N{1,5}"
    r"|YYYYYY|YYYYY|YYYY|YY|y{2,4}|yo?|gg(?:ggg?)?|GG(?:GGG?)?|e|E|a|A|hh?|HH?|kk?|mm?|ss?|S{1,9}|x|X|zz?|ZZ?|.)"
)
_LOCAL = re.compile(r"(\[[^\[]*\])|(\\)?(LTS|LT|LL?L?L?|l{1,4})")
_LONG = {
    "LTS": "h:mm:ss A",
    "LT": "h:mm A",
    "L": "MM/DD/YYYY",
    "LL": "MMMM D, YYYY",
    "LLL": "MMMM D, YYYY h:mm A",
    "LLLL": "dddd, MMMM D, YYYY h:mm A",
    "l": "M/D/YYYY",
    "ll": "MMM D, YYYY",
    "lll": "MMM D, YYYY h:mm A",
    "llll": "ddd, MMM D, YYYY h:mm A",
}
_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def written(time: datetime, form: str) -> str:
    """`time` in the format `form`; an empty one is ISO 8601."""
    for _ in range(6):
        expanded = _LOCAL.sub(lambda match: _LONG.get(match[0], match[0]), form)
        if expanded == form:
            break
        form = expanded
    form = form or ("YYYY-MM-DDTHH:mm:ss[Z]" if time.tzinfo is UTC else "YYYY-MM-DDTHH:mm:ssZ")
    return "".join(_written(time, match[0]) for match in _TOKEN.finditer(form))


def _written(time: datetime, token: str) -> str:
    if token in _WRITERS:
        return _WRITERS[token](time)
    if token.startswith("[") and token.endswith("]") and len(token) > 1:
        return token[1:-1]
    return token.replace("\\", "")


@functools.lru_cache(maxsize=64)
def zone(name: str) -> tzinfo | None:
    """The time zone of that name, in any case; None where this machine knows none."""
    if name.lower() in {"utc", "etc/utc"}:
        return UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        names = {known.lower(): known for known in zoneinfo.available_timezones()}
        found = names.get(name.lower())
        return zoneinfo.ZoneInfo(found) if found else None


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number // 10 % 10 != 1 else "th"
    return f"{number}{ending}"


def _week(time: datetime) -> tuple[int, int]:
    """Year and number of the American week: from Sunday, the first one holds January 1."""
    saturday = time.timetuple().tm_yday + 6 - _weekday(time)
    days = 366 if _leap(time.year) else 365
    return (time.year + 1, 1) if saturday > days else (time.year, (saturday + 6) // 7)


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _weekday(time: datetime) -> int:
    return time.isoweekday() % 7


def _offset(time: datetime, colon: str) -> str:
    delta = time.utcoffset()
    minutes = round(delta.total_seconds() / 60) if delta else 0
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{colon}{abs(minutes) % 60:02}"


def _fraction(digits: int) -> Callable[[datetime], str]:
    """Milliseconds are all that a JavaScript date knows."""
    return lambda time: f"{time.microsecond // 1000:03}".ljust(digits, "0")[:digits]


def _milliseconds(time: datetime) -> str:
    return str(int(time.timestamp()) * 1000 + time.microsecond // 1000)


def _numbers(letter: str, value: Callable[[datetime], int], widths: tuple[int, ...] = (2,)) -> Writers:
    """The token of one letter, and longer ones that fill up with zeros."""
    found: Writers = {letter: lambda time: str(value(time))}
    for width in widths:
        found[letter * width] = lambda time, width=width: str(value(time)).zfill(width)  # type: ignore[misc]
    return found


Writers = dict[str, Callable[[datetime], str]]

_ORDINALS: Mapping[str, Callable[[datetime], int]] = {
    "Mo": lambda time: time.month,
    "Qo": lambda time: (time.month + 2) // 3,
    "Do": lambda time: time.day,
    "DDDo": lambda time: time.timetuple().tm_yday,
    "do": _weekday,
    "wo": lambda time: _week(time)[1],
    "Wo": lambda time: time.isocalendar().week,
    "yo": lambda time: time.year,
}
_WRITERS: Writers = {
    **_numbers("M", lambda time: time.month),
    "MMM": lambda time: _MONTHS[time.month - 1][:3],
    "MMMM": lambda time: _MONTHS[time.month - 1],
    "Q": lambda time: str((time.month + 2) // 3),
    **_numbers("D", lambda time: time.day),
    "DDD": lambda time: str(time.timetuple().tm_yday),
    "DDDD": lambda time: f"{time.timetuple().tm_yday:03}",
    "d": lambda time: str(_weekday(time)),
    "dd": lambda time: _DAYS[_weekday(time)][:2],
    "ddd": lambda time: _DAYS[_weekday(time)][:3],
    "dddd": lambda time: _DAYS[_weekday(time)],
    "e": lambda time: str(_weekday(time)),
    "E": lambda time: str(time.isoweekday()),
    "eHHmm": lambda time: f"{_weekday(time)}{time:%H%M}",
    **_numbers("w", lambda time: _week(time)[1]),
    **_numbers("W", lambda time: time.isocalendar().week),
    "Y": lambda time: f"{time.year:04}",
    "YY": lambda time: f"{time.year % 100:02}",
    "YYYY": lambda time: f"{time.year:04}",
    "YYYYY": lambda time: f"{time.year:05}",
    "YYYYYY": lambda time: f"+{time.year:06}",
    **_numbers("y", lambda time: time.year, (2, 3, 4)),
    "gg": lambda time: f"{_week(time)[0] % 100:02}",
    "gggg": lambda time: f"{_week(time)[0]:04}",
    "ggggg": lambda time: f"{_week(time)[0]:05}",
    "GG": lambda time: f"{time.isocalendar().year % 100:02}",
    "GGGG": lambda time: f"{time.isocalendar().year:04}",
    "GGGGG": lambda time: f"{time.isocalendar().year:05}",
    "A": lambda time: "AM" if time.hour < 12 else "PM",
    "a": lambda time: "am" if time.hour < 12 else "pm",
    **_numbers("H", lambda time: time.hour),
    **_numbers("h", lambda time: time.hour % 12 or 12),
    **_numbers("k", lambda time: time.hour or 24),
    "hmm": lambda time: f"{time.hour % 12 or 12}{time:%M}",
    "hmmss": lambda time: f"{time.hour % 12 or 12}{time:%M%S}",
    "Hmm": lambda time: f"{time.hour}{time:%M}",
    "Hmmss": lambda time: f"{time.hour}{time:%M%S}",
    **_numbers("m", lambda time: time.minute),
    **_numbers("s", lambda time: time.second),
    **{"S" * digits: _fraction(digits) for digits in range(1, 10)},
    "X": lambda time: str(int(time.timestamp())),
    "x": _milliseconds,
    "z": lambda time: time.tzname() or "",
    "zz": lambda time: time.tzname() or "",
    "Z": lambda time: _offset(time, ":"),
    "ZZ": lambda time: _offset(time, ""),
    **dict.fromkeys(("N", "NN", "NNN", "NNNNN"), lambda _time: "AD"),
    "NNNN": lambda _time: "Anno Domini",
    **{token: lambda time, value=value: _ordinal(value(time)) for token, value in _ORDINALS.items()},  # type: ignore[misc]
}
