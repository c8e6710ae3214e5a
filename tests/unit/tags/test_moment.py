"""Times in moment's format; more of them are among the recorded answers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_buildkit.tags.moment import written, zone

TIME = datetime(2024, 12, 30, 0, 5, 9, 87000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("YYYY YY Y YYYYY YYYYYY", "2024 24 2024 02024 +002024"),
        ("M MM MMM MMMM Mo", "12 12 Dec December 12th"),
        ("D DD Do DDD DDDD DDDo", "30 30 30th 365 365 365th"),
        ("d dd ddd dddd do e E", "1 Mo Mon Monday 1st 1 1"),
        ("gggg-ww GGGG-WW w wo W Wo", "2025-01 2025-01 1 1st 1 1st"),
        ("H HH h hh k kk a A", "0 00 12 12 24 24 am AM"),
        ("Hmm hmm Hmmss hmmss", "005 1205 00509 120509"),
        ("m mm s ss S SS SSS SSSS SSSSSSSSS", "5 05 9 09 0 08 087 0870 087000000"),
        ("X x", "1735517109 1735517109087"),
        ("Z ZZ z zz", "+00:00 +0000 UTC UTC"),
        ("Q Qo N NNNN y yo", "4 4th AD Anno Domini 2024 2024th"),
        ("LT|LTS|L|l|ll", "12:05 AM|12:05:09 AM|12/30/2024|12/30/2024|Dec 30, 2024"),
        ("[YYYY] \\YYYY T", "YYYY YYYY T"),
        ("", "2024-12-30T00:05:09Z"),
    ],
)
def test_forms(form: str, text: str) -> None:
    assert written(TIME, form) == text


def test_zones_in_any_case() -> None:
    tokyo = zone("asia/tokyo")
    assert tokyo
    assert written(TIME.astimezone(tokyo), "HH:mm Z z") == "09:05 +09:00 JST"
    assert zone("Nowhere/Land") is None
    assert zone("../etc/passwd") is None


@settings(deadline=None)
@given(st.text(alphabet="YMDdHhmsSaAZzXxkeEwWgGQqLlTNyo[]\\ é-", max_size=20), st.datetimes(timezones=st.just(UTC)))
def test_every_form_is_written(form: str, time: datetime) -> None:
    assert isinstance(written(time, form), str)
