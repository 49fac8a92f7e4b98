"""How long somebody waits for a click."""

import time

CLICK_SECONDS = 20
# A submission isn't begun with less: cut off, its outcome would be unknown.
SUBMISSION_SECONDS = 10


class Deadline:
    """When it has to be over. What isn't done by then is left to the crons.

    :param seconds: from now; without it, as long as a click may take
    """

    def __init__(self, seconds=None):
        self._ends_at = time.monotonic() + (seconds or CLICK_SECONDS)

    def left(self):
        """How many seconds are left, 0 if none are."""
        return max(0, self._ends_at - time.monotonic())

    def allows_submission(self):
        """Whether there is time to send one more invoice."""
        return self.left() >= SUBMISSION_SECONDS
