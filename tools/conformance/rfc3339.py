"""Whether a text is an RFC 3339 date-time, by the ABNF of section 5.6 and the rules of 5.7."""

import re

# `T` and `Z` may be lower case (5.6, first note). `[0-9]`, since `\d` takes every script's digits;
# fullmatch, since `$` would let a newline pass.
DATE_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]"
    r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)


def is_date_time(text: str) -> bool:
    match = DATE_TIME.fullmatch(text)
    if match is None:
        return False
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    sign, offset_hour, offset_minute = match[7], int(match[8] or 0), int(match[9] or 0)
    if not 1 <= month <= 12 or not 1 <= day <= days_of(year, month):
        return False
    if hour > 23 or minute > 59 or offset_hour > 23 or offset_minute > 59:
        return False
    if second < 60:
        return True
    # A leap second is the last one of a day in UTC, wherever the clock that shows it stands.
    offset = (offset_hour * 60 + offset_minute) * (-1 if sign == "-" else 1)
    return second == 60 and (hour * 60 + minute - offset) % 1440 == 1439


def days_of(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31
