"""Everything goes wrong at once, and still no invoice is sent or paid twice, or lost.

The sandbox fails at random, Odoo and PostgreSQL are killed, callbacks get lost, and all
the while a bookkeeper sends, customers confirm and pay. Time runs faster: what waits
for its next try or its next run doesn't wait for hours. All that is random follows from
one seed, but the moments at which programs meet each other.
"""

from functools import partial

import pytest

from .chaos import Plan, endure
from .helpers import IS_LONG
from .processes import PostgresServer

SEED = 7
SHORT = Plan(60, 20, kills=2, outages=1, delay=2, pause=2, minute=6, patience=240)
LONG = Plan(1000, 100, kills=10, outages=2, delay=10, pause=5, minute=60, patience=3600)


@pytest.fixture
def plan():
    return LONG if IS_LONG else SHORT


@pytest.fixture
def postgres(plan):
    """A PostgreSQL that may be restarted; in the short form there is none."""
    if plan is SHORT:
        yield None
        return
    server = PostgresServer("postgres-chaos")
    server.create()
    yield server
    server.remove()


@pytest.fixture
def office(open_office, postgres, sandbox):
    """An office that works at full speed, so that much of it is broken at once."""
    port = postgres.port if postgres else None
    with open_office("chaos", crons=2, database_port=port) as office:
        sandbox.set(rate_limit=100_000)
        yield office


def test_every_invoice_has_one_order_and_is_paid_once(
    plan, office, postgres, sandbox, show
):
    endure(plan, SEED, office, sandbox, partial(show, "Chaos"), postgres=postgres)
