"""PostgreSQL from outside of Odoo. Where it is, the usual PG* variables tell."""

import contextlib
import fcntl
import hashlib
import os
import subprocess
from ast import literal_eval
from pathlib import Path

import psycopg2

from .processes import DEV, ROOT, odoo

ADDON = "frontpay_odoo"


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
    database = f"{os.environ['FRONTPAY_TEMPLATE_DB']}_{name}"
    if port:
        _copy_to_server(template, database, port)
        yield database
        return
    drop(database)
    subprocess.run(["createdb", "--template", template, database], check=True)
    try:
        yield database
    finally:
        drop(database)


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


def without_localisation() -> str:
    """A database with the addon's dependencies and no country's accounting.

    Made once for an Odoo and a list of dependencies, and kept for later runs.
    """
    manifest = literal_eval((ROOT / ADDON / "__manifest__.py").read_text())
    odoo_folder = Path(os.environ["PYTHONPATH"].split(os.pathsep)[0])
    release = (odoo_folder / "odoo" / "release.py").read_bytes()
    key = repr((manifest["depends"], str(odoo_folder), release)).encode()
    name = f"frontpay_bare_{hashlib.sha256(key).hexdigest()[:12]}"
    with (DEV / "bare.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = column(
            "postgres",
            "SELECT datname FROM pg_database WHERE datname ~ '^frontpay_bare_'",
        )
        if name not in kept:
            for old in kept:
                drop(old)
            _make_without_localisation(name, manifest["depends"])
    return name


def _make_without_localisation(name: str, modules: list[str]) -> None:
    """The name appears when all is in it."""
    new = "frontpay_bare_new"
    odoo("--no-http", "-d", new, "-i", ",".join(modules), "--stop-after-init")
    rows("postgres", f"ALTER DATABASE {new} RENAME TO {name}")
