"""Transactions of our own: what must survive is committed before and after a call."""

import logging
from contextlib import contextmanager
from functools import partial

from odoo.exceptions import LockError
from odoo.service.model import retrying
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

SENDER_LOCK = 0x46504753  # "FPGS": keeps our advisory locks apart from others'
# Odoo's own note of the device, made before a request does anything else.
WRITTEN_BY_EVERY_REQUEST = ("res_device_log",)


def can_commit(env):
    """Whether commits are possible; Odoo's tests have one transaction for all."""
    return env["account.move"]._can_commit()


def run(env, step, *arguments):
    """Run a step in a transaction of its own, committed when this returns.

    A serialisation failure runs the step again, as Odoo does with a request, so the
    step calls nothing outside. In Odoo's tests it runs in the test's transaction.

    :param step: called with the arguments
    :return: what the step returns
    """
    if can_commit(env):
        return retrying(partial(step, *arguments), env)
    result = step(*arguments)
    env.flush_all()
    return result


def run_apart(record, method, *arguments):
    """Call a record's method in a transaction of its own, which is committed whatever
    becomes of this one. In Odoo's tests it is the test's transaction.

    :param str method: what it reads was committed before
    """
    if not can_commit(record.env):
        return getattr(record, method)(*arguments)
    with record.env.registry.cursor() as cr:
        return getattr(record.with_env(record.env(cr=cr)), method)(*arguments)


def rollback(env):
    """Forget what a step left half-written."""
    if can_commit(env):
        env.cr.rollback()
    env.invalidate_all(flush=False)


@contextmanager
def contained(records):
    """Keep what fails inside from stopping whatever comes after it: it goes to the
    server's log, and what it left half-written is forgotten.

    :param records: what it is done for
    """
    try:
        yield
    except Exception:
        _logger.exception("%s: a step failed", records)
        rollback(records.env)


def is_untouched(env, *dialogs):
    """Whether this transaction has written nothing yet that isn't Odoo's own.

    :param dialogs: names of models whose records may be written: a dialog's, which
        mean nothing outside of it

    In an automation, an import or another addon's method it has, and what was written
    must stay with what comes after. PostgreSQL keeps a lock on every table that a
    transaction wrote to, until it ends.
    """
    env.flush_all()
    own = [table for name in dialogs for table in _tables_of(env[name])]
    [[count]] = env.execute_query(
        SQL(
            """
            SELECT count(*)
              FROM pg_locks
              JOIN pg_class ON pg_class.oid = pg_locks.relation
             WHERE pg_locks.pid = pg_backend_pid()
               AND pg_locks.locktype = 'relation'
               AND pg_locks.mode NOT IN ('AccessShareLock', 'RowShareLock')
               AND pg_class.relkind IN ('r', 'p')
               AND pg_class.relname != ALL(%s)
            """,
            [*WRITTEN_BY_EVERY_REQUEST, *own],
        )
    )
    return not count or not can_commit(env)


def _tables_of(model):
    """The tables that a model's records are written to."""
    fields = model._fields.values()
    relations = [
        field.relation for field in fields if field.type == "many2many" and field.store
    ]
    return [model._table, *relations]


@contextmanager
def sender_lock(move):
    """Be the only one who sends this invoice, or finds out what became of it.

    The lock lies on a connection of its own, so it outlasts the commits of the
    sending; PostgreSQL drops it when the process dies, however that happens. So
    whoever gets it knows that no living sender has the invoice.

    :param move: one ``account.move``
    :raises LockError: somebody else has it
    """
    with move.env.registry.cursor() as cr:
        cr.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [SENDER_LOCK, move.id])
        if not cr.fetchone()[0]:
            raise busy(move)
        try:
            yield
        finally:
            # A connection of its own, on which nothing was changed.
            cr.commit()  # pylint: disable=invalid-commit


def lock(move):
    """Keep everybody else from the invoice until the transaction ends, and read it and
    its orders anew.

    :param move: one ``account.move``
    :raises LockError: somebody else has it
    """
    try:
        move.lock_for_update()
    except LockError:
        raise busy(move) from None
    # An earlier order's end goes to the database before the next one begins.
    move.env.flush_all()
    move.invalidate_recordset()
    move.env["frontpay.order"].invalidate_model()
    move.env["frontpay.refund"].invalidate_model()


def busy(move):
    """The :class:`LockError` for an invoice that somebody else has.

    :param move: one ``account.move``
    """
    return LockError(
        move.env._(
            "%s is just being handled by somebody else. Try again in a moment.",
            move.display_name,
        )
    )
