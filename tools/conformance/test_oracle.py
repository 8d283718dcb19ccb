"""The oracle's own judgements, against the examples of the standards it claims to follow."""

import unittest

from oracle import read_json, validator
from rfc3339 import is_date_time

DRAFT_04 = "http://json-schema.org/draft-04/schema#"
DRAFT_06 = "http://json-schema.org/draft-06/schema#"


class DateTimes(unittest.TestCase):
    def test_the_examples_of_rfc_3339_section_5_8(self):
        for text in (
            "1985-04-12T23:20:50.52Z",
            "1996-12-19T16:39:57-08:00",
            "1990-12-31T23:59:60Z",
            "1990-12-31T15:59:60-08:00",
            "1937-01-01T12:00:27.87+00:20",
        ):
            self.assertTrue(is_date_time(text), text)

    def test_what_looks_like_one(self):
        for text in (
            "1985-04-12 23:20:50Z",
            "1985-04-12T23:20:50",
            "1985-04-12T23:20Z",
            "1985-04-31T23:20:50Z",
            "1900-02-29T00:00:00Z",
            "1990-12-31T22:59:60Z",
            "1990-12-31T23:59:60-08:00",
            "1985-04-12T24:00:00Z",
            "1985-04-12T23:20:50+24:00",
            "1985-04-12T23:20:50.Z",
            "1985-04-12T23:20:50Z\n",
            "１985-04-12T23:20:50Z",
        ):
            self.assertFalse(is_date_time(text), text)


class Numbers(unittest.TestCase):
    def accepts(self, schema: str, draft: str, payload: str) -> bool:
        return validator({"$schema": draft, **read_json(schema)}).is_valid(read_json(payload))

    def test_an_integer_is_what_the_draft_says(self):
        for text, by_04, by_06 in (
            ("1", True, True),
            ("1.0", False, True),
            ("1e2", False, True),
            ("1.5", False, False),
            ("1.00000000000000000001", False, False),
            ("true", False, False),
        ):
            self.assertEqual(self.accepts('{"type": "integer"}', DRAFT_04, text), by_04, text)
            self.assertEqual(self.accepts('{"type": "integer"}', DRAFT_06, text), by_06, text)

    def test_a_multiple_is_judged_in_decimal(self):
        schema = '{"type": "number", "multipleOf": 0.1}'
        for text, judged in (("0.3", True), ("1e-1", True), ("7", True), ("0.30000000000000004", False)):
            self.assertEqual(self.accepts(schema, DRAFT_04, text), judged, text)

    def test_no_format_but_date_time_is_asserted(self):
        self.assertTrue(self.accepts('{"type": "string", "format": "uri"}', DRAFT_04, '"not one"'))
        self.assertFalse(self.accepts('{"format": "date-time"}', DRAFT_06, '"not one"'))


if __name__ == "__main__":
    unittest.main()
