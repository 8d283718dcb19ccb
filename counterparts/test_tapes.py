"""The comparison itself: a harness that notices nothing proves nothing."""

import unittest

from tapes import Tape, differences, same_conversation

CALL, ANSWER = '[2,"a1","Heartbeat",{}]', '[3,"a1",{"currentTime":"2026-03-01T10:00:00Z"}]'


class Comparison(unittest.TestCase):
    def test_what_one_sent_the_other_heard(self):
        self.assertEqual(differences(Tape("s", [CALL], [ANSWER]), Tape("c", [ANSWER], [CALL])), [])

    def test_lost_added_changed_and_swapped_payloads_are_noticed(self):
        other = CALL.replace("a1", "b2")
        for heard in ([], [CALL, CALL], [CALL.replace(",", ", ", 1)], [other, CALL]):
            sent = [CALL, other] if len(heard) == 2 and heard[0] is other else [CALL]
            self.assertTrue(differences(Tape("s", sent), Tape("c", [], heard)), heard)

    def test_ids_are_drawn_at_random_and_nothing_else_is(self):
        direct = Tape("s", [CALL], [ANSWER])
        renamed = Tape("s", [CALL.replace("a1", "zz")], [ANSWER.replace("a1", "zz")])
        self.assertEqual(same_conversation(direct, renamed), [])
        mismatched = Tape("s", [CALL.replace("a1", "zz")], [ANSWER])
        self.assertTrue(same_conversation(direct, mismatched))
        later = Tape("s", [CALL], [ANSWER.replace("10:00", "10:01")])
        self.assertTrue(same_conversation(direct, later))
        self.assertTrue(same_conversation(direct, later, in_order=False))

    def test_order_counts_unless_the_csms_answers_as_it_pleases(self):
        second = ANSWER.replace("10:00", "10:01")
        direct, swapped = Tape("s", [], [ANSWER, second]), Tape("s", [], [second, ANSWER])
        self.assertTrue(same_conversation(direct, swapped))
        self.assertEqual(same_conversation(direct, swapped, in_order=False), [])


if __name__ == "__main__":
    unittest.main()
