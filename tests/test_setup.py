"""Where ``./dev`` takes Odoo from: a Debian mirror of any age, or Odoo's repository."""

import os
import subprocess
from email.utils import formatdate
from pathlib import Path

import pytest

from devtools.servers import ROOT

SCRIPT = """
set -euo pipefail
DEV=$1 ROOT=$2
source "$ROOT/devtools/steps.sh"
source "$ROOT/devtools/debian.sh"
source "$ROOT/devtools/odoo.sh"
debian_keyring() { echo "$KEYRING"; }
fetch_odoo
"""
# The machine's own apt, but for the mirror that it names: with its check of a mirror's
# age, which somebody may have switched off, and without packages of its own release.
APT_GET = r"""#!/bin/sh
case "$*" in
    *indextargets*) echo "copy:$MIRROR" ;;
    *User=root\ download*) exit 100 ;;
    *) exec /usr/bin/apt-get -o Acquire::Check-Date=true \
        -o Acquire::Check-Valid-Until=true "$@" ;;
esac
"""
PACKAGES = (
    *("odoo-19", "libjs-jquery", "libjs-jquery-form", "libjs-underscore"),
    *("fonts-dejavu-core", "fonts-font-awesome", "fonts-inconsolata"),
    *("fonts-montserrat", "fonts-roboto-unhinted"),
)
CONTROL = """Package: {name}
Version: 19.0
Architecture: all
Maintainer: Nobody <nobody@example.com>
Description: made up
"""
DAY = 24 * 60 * 60


def run(*command: str | Path, **options) -> str:
    return subprocess.run(
        command, check=True, capture_output=True, text=True, **options
    ).stdout


def make_odoo(folder: Path) -> None:
    """As much of an Odoo as is looked at."""
    (folder / "odoo/addons/account").mkdir(parents=True)
    release = folder / "odoo/release.py"
    release.write_text("version_info = (19, 0, 0, FINAL, 0, '')\n")


@pytest.fixture
def keyring(tmp_path):
    """A key of our own, with which a mirror can be signed."""
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    make = ("--batch", "--passphrase", "", "--quick-generate-key", "nobody@example.com")
    run("gpg", "--homedir", home, *make)
    path = tmp_path / "keyring.gpg"
    path.write_bytes(
        subprocess.run(
            ["gpg", "--homedir", home, "--export"], check=True, capture_output=True
        ).stdout
    )
    yield path
    run("gpgconf", "--homedir", home, "--kill", "gpg-agent")


@pytest.fixture
def mirror(tmp_path, keyring):
    """A Debian mirror whose suite sid is a month old, and was meant for a week."""
    folder = tmp_path / "mirror"
    lists = folder / "dists/sid/main/binary-all"
    lists.mkdir(parents=True)
    for name in PACKAGES:
        content = tmp_path / "packages" / name
        (content / "DEBIAN").mkdir(parents=True)
        (content / "DEBIAN/control").write_text(CONTROL.format(name=name))
        if name == "odoo-19":
            make_odoo(content / "usr/lib/python3/dist-packages")
        run("dpkg-deb", "--build", content, folder / f"{name}_19.0_all.deb")
    index = "\n".join(map(entry_of, sorted(folder.glob("*.deb"))))
    (lists / "Packages").write_text(index)
    size = len(index.encode())
    digest = run("sha256sum", lists / "Packages").split()[0]
    now = lists.stat().st_mtime
    release = folder / "dists/sid/Release"
    release.write_text(
        "Suite: sid\nCodename: sid\nArchitectures: all amd64 arm64\nComponents: main\n"
        f"Date: {formatdate(now - 30 * DAY, usegmt=True)}\n"
        f"Valid-Until: {formatdate(now - 23 * DAY, usegmt=True)}\n"
        f"SHA256:\n {digest} {size} main/binary-all/Packages\n"
    )
    sign(release, tmp_path / "gnupg")
    return folder


def entry_of(package: Path) -> str:
    """What a mirror's list says of a package."""
    digest = run("sha256sum", package).split()[0]
    place = f"Filename: ./{package.name}\nSize: {package.stat().st_size}\n"
    return run("dpkg-deb", "--field", package) + place + f"SHA256: {digest}\n"


def sign(release: Path, home: Path) -> None:
    signed = release.with_name("InRelease")
    run("gpg", "--homedir", home, "--clearsign", "--output", signed, release)


@pytest.fixture
def repository(tmp_path):
    """A copy of Odoo's repository, with a history."""
    folder = tmp_path / "repository"
    make_odoo(folder)
    (folder / "odoo/addons/account/__init__.py").touch()
    person = ("-c", "user.name=Nobody", "-c", "user.email=nobody@example.com")
    run("git", "init", "--quiet", "--initial-branch", "19.0", folder)
    for message in ("first", "second"):
        (folder / "message").write_text(message)
        run("git", "-C", folder, "add", "--all")
        run("git", "-C", folder, *person, "commit", "--quiet", "--message", message)
    return f"file://{folder}"


@pytest.fixture
def fetch(tmp_path):
    """Fetch Odoo into a folder of the test.

    :return: the folder, and what was told
    """
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "apt-get").write_text(APT_GET)
    (programs / "apt-get").chmod(0o755)

    def fetched(mirror="", keyring="", repository=f"file://{tmp_path}/none"):
        dev = tmp_path / "dev"
        dev.mkdir()
        done = subprocess.run(
            ["bash", "-c", SCRIPT, "fetch", dev, ROOT],
            env=os.environ
            | {
                "PATH": f"{programs}:{os.environ['PATH']}",
                "ODOO_HOME": "",
                "MIRROR": str(mirror or tmp_path / "none"),
                "KEYRING": str(keyring),
                "FRONTPAY_ODOO_REPOSITORY": repository,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=60,
            check=False,
        )
        log = dev / "log/setup.log"
        return dev / "odoo", done.stdout + (log.read_text() if log.exists() else "")

    return fetched


def is_odoo(folder: Path) -> bool:
    places = (folder, folder / "usr/lib/python3/dist-packages")
    return any((place / "odoo/release.py").exists() for place in places)


def test_a_mirror_that_is_too_old_for_apt_is_taken(fetch, mirror, keyring):
    odoo, told = fetch(mirror, keyring)
    assert is_odoo(odoo), told
    assert not (odoo / ".git").exists()


def test_a_mirror_with_a_wrong_signature_is_not_taken(
    fetch, mirror, keyring, repository
):
    signed = mirror / "dists/sid/InRelease"
    signed.write_text(signed.read_text().replace("Suite: sid", "Suite: s1d"))
    odoo, told = fetch(mirror, keyring, repository)
    assert "signature" in told.lower()
    assert (odoo / ".git").exists(), told


@pytest.mark.parametrize("has_mirror", [False, True])
def test_without_a_mirror_that_has_it_odoos_repository_is_taken(
    fetch, mirror, keyring, repository, has_mirror
):
    """Debian may drop it one day."""
    (mirror / "odoo-19_19.0_all.deb").unlink()
    odoo, told = fetch(mirror if has_mirror else "", keyring, repository)
    assert is_odoo(odoo), told
    assert run("git", "-C", odoo, "rev-list", "--count", "HEAD").strip() == "1"


def test_without_either_it_says_what_to_do(fetch):
    odoo, told = fetch()
    assert not odoo.exists()
    assert "ODOO_HOME" in told
    assert "FRONTPAY_ODOO_REPOSITORY" in told
