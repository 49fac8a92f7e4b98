"""The bucket fills again when its minute is over."""

from sandbox.ratelimit import WINDOW, RateLimit


def test_a_new_minute_brings_new_requests():
    now = 100.0
    limit = RateLimit(clock=lambda: now)
    assert limit.hit(2) == (True, 1, WINDOW)
    now += 20
    assert limit.hit(2) == (True, 0, WINDOW - 20)
    assert limit.hit(2) == (False, 0, WINDOW - 20)
    now += WINDOW - 20
    assert limit.hit(2) == (True, 1, WINDOW)
