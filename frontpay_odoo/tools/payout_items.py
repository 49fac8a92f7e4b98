"""Which open items make up a pay-out."""

# Sums that are looked at before the search ends: a fraction of a second.
MAX_SUMS = 200_000


def proposed(amounts, target):
    """Choose the items that a pay-out is most likely made of.

    Exact sums come first: the longest run from the oldest item on, then the first run
    of items that follow each other, then any of the oldest items. Without one, the
    oldest items that fit in. The search ends after :const:`MAX_SUMS` sums, so time and
    memory are bounded however many items there are.

    :param amounts: list of what each item has open, the oldest first, in whole units
        (øre); refunds are negative
    :param int target: what they add up to
    :return: list of positions, in order
    """
    for choose in (_run, _any):
        chosen = choose(amounts, target)
        if chosen:
            return chosen
    return _fitting(amounts, target)


def _run(amounts, target):
    """Items that follow each other, those from the oldest on before others."""
    sums = [0]
    for amount in amounts:
        sums.append(sums[-1] + amount)
    for end in range(len(amounts), 0, -1):
        if sums[end] == target:
            return list(range(end))
    starts = {}
    for end, total in enumerate(sums):
        if total - target in starts:
            return list(range(starts[total - target], end))
        starts.setdefault(total, end)
    return []


def _any(amounts, target):
    """Any items, the oldest ones if several sums fit."""
    # Each sum that was reached: the item that came last, and the sum before it.
    reached = {0: None}
    looked_at = 0
    for position, amount in enumerate(amounts):
        looked_at += len(reached)
        if looked_at > MAX_SUMS:
            return []
        for before in list(reached):
            reached.setdefault(before + amount, (position, before))
        if reached.get(target):
            return _way_to(reached, target)
    return []


def _way_to(reached, total):
    positions = []
    while reached[total]:
        position, total = reached[total]
        positions.append(position)
    return positions[::-1]


def _fitting(amounts, target):
    """The oldest items that don't exceed what is paid out."""
    low, high = sorted((0, target))
    chosen, total = [], 0
    for position, amount in enumerate(amounts):
        if low <= total + amount <= high:
            chosen.append(position)
            total += amount
    return chosen
