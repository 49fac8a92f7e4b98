"""The addons as wheels: built by OCA's tool, installed elsewhere, found by Odoo."""

import os
from ast import literal_eval
from configparser import ConfigParser
from pathlib import Path
from zipfile import ZipFile

import pytest

from devtools.servers import ROOT, tail

from .databases import column, copied
from .processes import complaints, odoo, python

# What each wheel asks for beside Odoo and what its manifest asks for.
ADDONS = {
    "frontpay_odoo": [],
    "frontpay_odoo_queue_job": [
        "odoo-addon-frontpay_odoo==19.0.*",
        "odoo-addon-queue_job==19.0.*",
    ],
}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """{addon: its wheel}"""
    folder = tmp_path_factory.mktemp("wheels")
    return {addon: build(addon, folder / addon) for addon in ADDONS}


def build(addon: str, folder: Path) -> Path:
    built = python(
        *("-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT / addon)
    )
    assert built.returncode == 0, tail(built.stdout)
    [wheel] = folder.glob("*.whl")
    return wheel


@pytest.fixture
def installed(wheels, tmp_path):
    """The addons folder of a place where the wheels are installed."""
    done = python(
        *("-m", "pip", "install", "--no-deps", "--no-index", "--target", tmp_path),
        *wheels.values(),
    )
    assert done.returncode == 0, tail(done.stdout)
    return tmp_path / "odoo" / "addons"


@pytest.mark.parametrize("addon", ADDONS)
def test_wheel_is_named_as_oca_names_them_with_the_manifests_version(wheels, addon):
    version = manifest_of(addon)["version"]
    assert wheels[addon].name == f"odoo_addon_{addon}-{version}-py3-none-any.whl"


@pytest.mark.parametrize("addon", ADDONS)
def test_wheel_asks_for_what_the_manifest_asks_for(wheels, addon):
    with ZipFile(wheels[addon]) as archive:
        [path] = [name for name in archive.namelist() if name.endswith("/METADATA")]
        metadata = archive.read(path).decode().splitlines()
    packages = manifest_of(addon).get("external_dependencies", {}).get("python", [])
    wanted = [*packages, "odoo==19.0.*", *ADDONS[addon]]
    assert {f"Requires-Dist: {package}" for package in wanted} <= set(metadata)


def manifest_of(addon: str) -> dict:
    return literal_eval((ROOT / addon / "__manifest__.py").read_text())


def test_odoo_installs_the_addons_from_their_wheels(installed, tmp_path):
    """The second one by itself, with OCA's addon that it is for."""
    with copied(os.environ["FRONTPAY_BARE_DB"], "wheel") as database:
        log = odoo(
            *("--no-http", "--database", database),
            *("--addons-path", f"{odoo_addons()},{installed}"),
            *("--init", "frontpay_odoo,queue_job", "--stop-after-init"),
            cwd=tmp_path,
        )
        assert complaints(log) == []
        names = (
            "SELECT name FROM ir_module_module"
            " WHERE name LIKE 'frontpay%' AND state = 'installed'"
        )
        assert sorted(column(database, names)) == list(ADDONS)


def odoo_addons() -> str:
    """Odoo's own addons path, without the project's folder."""
    config = ConfigParser(interpolation=None)
    config.read(os.environ["ODOO_RC"])
    folders = config["options"]["addons_path"].split(",")
    return ",".join(folder for folder in folders if Path(folder) != ROOT)
