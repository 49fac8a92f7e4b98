# The virtual environment with the packages of requirements.txt, and the addons of
# requirements-addons.txt.

PYTHON=$DEV/venv/bin/python

# A virtual environment can't be moved, so each is built at a place of its own,
# and the link .dev/venv changes when it is complete.
build_venv() {
    local name
    name=$(hash_of "$ROOT"/{requirements,requirements-addons,constraints}.txt <(/usr/bin/python3 --version))
    [[ $(readlink "$DEV/venv" || true) == "venvs/$name" && -x $PYTHON ]] && return
    rm -rf "$DEV/venvs/$name"
    step "Installing Python packages" install_python_packages "$DEV/venvs/$name"
    ln -sfn "venvs/$name" "$DEV/venv.new"
    mv -T "$DEV/venv.new" "$DEV/venv"
    find "$DEV/venvs" -mindepth 1 -maxdepth 1 ! -name "$name" -exec rm -rf {} +
}

install_python_packages() {
    mkdir -p "${1%/*}"
    /usr/bin/python3 -m venv "$1" &&
        pip_install "$1" --requirement "$ROOT/requirements.txt" &&
        pip_install "$1" --requirement "$ROOT/requirements-addons.txt" --no-deps
}

# pip_install VENV ARGS...
pip_install() {
    PYTHONPATH='' "$1/bin/python" -m pip install --disable-pip-version-check \
        --progress-bar off --constraint "$ROOT/constraints.txt" "${@:2}"
}
