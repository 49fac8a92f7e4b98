"""Whether an invoice costs more where there are more of them: milliseconds an invoice,
and the memory that they take while they are read one after the other."""

import time
import tracemalloc
from statistics import median

from . import filled, mapping

SIZES = (100, 1_000, 5_000)
FIRST = 50  # invoices of which the others are copies
ROUNDS = 5


def measure(env):
    """Map the first invoices of the same ones, in turn.

    :return: list of rows: how many invoices, milliseconds an invoice (the median of the
        rounds), how many times that of the fewest, and MB at most
    """
    moves = mapping.invoices(mapping.company_of(env), FIRST)
    filled.copy(env, max(SIZES) // FIRST - 1)
    moves = moves.search([("company_id", "=", moves.company_id.id)], order="id")
    rounds = {size: [] for size in SIZES}
    for _round in range(ROUNDS):
        for size, spent in rounds.items():
            spent.append(_milliseconds(moves[:size]))
    each = {size: median(spent) for size, spent in rounds.items()}
    return [
        {
            "invoices": size,
            "milliseconds": round(each[size], 2),
            "times the fewest": round(each[size] / each[min(SIZES)], 2),
            "MB": round(_megabytes(moves[:size]), 1),
        }
        for size in SIZES
    ]


def _map_each(moves):
    """As the queue does: each on its own, with nothing in the cache."""
    for move in moves:
        mapping.json_of(move.with_prefetch())
        move.env.invalidate_all()


def _milliseconds(moves):
    started = time.perf_counter()
    _map_each(moves)
    return 1000 * (time.perf_counter() - started) / len(moves)


def _megabytes(moves):
    tracemalloc.start()
    _map_each(moves)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 1024**2
