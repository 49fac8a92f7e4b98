"""The addon as a wheel: built by OCA's tool, installed elsewhere, found by Odoo."""

import os
from ast import literal_eval
from configparser import ConfigParser
from pathlib import Path
from zipfile import ZipFile

import pytest

from devtools.servers import ROOT, tail

from .databases import column, copied
from .processes import complaints, odoo, python

ADDON = "frontpay_odoo"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    built = python(
        *("-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT / ADDON)
    )
    assert built.returncode == 0, tail(built.stdout)
    [wheel] = folder.glob("*.whl")
    return wheel


@pytest.fixture
def installed(wheel, tmp_path):
    """The addons folder of a place where the wheel is installed."""
    done = python(
        *("-m", "pip", "install", "--no-deps", "--no-index", "--target", tmp_path),
        wheel,
    )
    assert done.returncode == 0, tail(done.stdout)
    return tmp_path / "odoo" / "addons"


def test_wheel_is_named_as_oca_names_them_with_the_manifests_version(wheel):
    manifest = literal_eval((ROOT / ADDON / "__manifest__.py").read_text())
    name = f"odoo_addon_{ADDON}-{manifest['version']}-py3-none-any.whl"
    assert wheel.name == name


def test_wheel_asks_for_what_the_manifest_asks_for(wheel):
    manifest = literal_eval((ROOT / ADDON / "__manifest__.py").read_text())
    with ZipFile(wheel) as archive:
        [path] = [name for name in archive.namelist() if name.endswith("/METADATA")]
        metadata = archive.read(path).decode().splitlines()
    packages = manifest["external_dependencies"]["python"]
    assert {f"Requires-Dist: {package}" for package in packages} <= set(metadata)
    assert "Requires-Dist: odoo==19.0.*" in metadata


def test_odoo_installs_the_addon_from_the_wheel(installed, tmp_path):
    with copied(os.environ["FRONTPAY_BARE_DB"], "wheel") as database:
        log = odoo(
            *("--no-http", "--database", database),
            *("--addons-path", f"{odoo_addons()},{installed}"),
            *("--init", ADDON, "--stop-after-init"),
            cwd=tmp_path,
        )
        assert complaints(log) == []
        states = column(
            database, f"SELECT state FROM ir_module_module WHERE name = '{ADDON}'"
        )
        assert states == ["installed"]


def odoo_addons() -> str:
    """Odoo's own addons path, without the project's folder."""
    config = ConfigParser(interpolation=None)
    config.read(os.environ["ODOO_RC"])
    folders = config["options"]["addons_path"].split(",")
    return ",".join(folder for folder in folders if Path(folder) != ROOT)
