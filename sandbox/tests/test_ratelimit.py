"""The limit holds for a minute, counted in one of two ways."""

from sandbox.ratelimit import WINDOW, FixedWindow, SlidingWindow


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_new_minute_brings_new_requests():
    clock = Clock()
    limit = FixedWindow(clock)
    assert limit.hit(2) == (True, 1, WINDOW)
    clock.now += 20
    assert limit.hit(2) == (True, 0, WINDOW - 20)
    assert limit.hit(2) == (False, 0, WINDOW - 20)
    clock.now += WINDOW - 20
    assert limit.hit(2) == (True, 1, WINDOW)


def test_any_minute_has_no_more_than_the_limit():
    clock = Clock()
    limit = SlidingWindow(clock)
    assert limit.hit(2) == (True, 1, WINDOW)
    clock.now += WINDOW - 1
    assert limit.hit(2) == (True, 0, 1)
    assert limit.hit(2) == (False, 0, 1)
    clock.now += 1
    assert limit.hit(2) == (True, 0, WINDOW - 1)
    assert limit.hit(2) == (False, 0, WINDOW - 1)
