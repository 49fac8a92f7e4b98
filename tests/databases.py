"""PostgreSQL from outside of Odoo. Where it is, the usual PG* variables tell."""

import contextlib
import os
import subprocess

import psycopg2

from .processes import WORKER


def rows(database: str, query: str, port: int | None = None) -> list[tuple]:
    """The result of a query, or of a change that is committed at once."""
    connection = psycopg2.connect(dbname=database, port=port)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def column(database: str, query: str) -> list:
    """A query's only column."""
    return [row[0] for row in rows(database, query)]


@contextlib.contextmanager
def copied(template: str, name: str, port: int | None = None):
    """A copy of a database, dropped at the end.

    Its own name begins with the template database's of this test run, so that
    ``./dev test`` drops it as well if the tests are killed.

    :param port: of another server, whose data somebody else throws away
    """
    database = f"{os.environ['FRONTPAY_TEMPLATE_DB']}_{WORKER}_{name}"
    if port:
        _copy_to_server(template, database, port)
        yield database
        return
    create_copy(template, database)
    try:
        yield database
    finally:
        drop(database)


def create_copy(template: str, database: str) -> None:
    drop(database)
    subprocess.run(["createdb", "--template", template, database], check=True)


def _copy_to_server(template: str, database: str, port: int) -> None:
    there = {**os.environ, "PGPORT": str(port)}
    subprocess.run(["createdb", database], env=there, check=True)
    dump = subprocess.run(
        ["pg_dump", "--format=custom", "--compress=0", template],
        stdout=subprocess.PIPE,
        check=True,
    )
    subprocess.run(
        ["pg_restore", "--exit-on-error", "--dbname", database],
        input=dump.stdout,
        env=there,
        check=True,
    )


def drop(database: str) -> None:
    subprocess.run(["dropdb", "--if-exists", "--force", database], check=True)
