# Debian packages of the machine's own release.

DEBIAN_PACKAGES=(
    ca-certificates
    chromium      # browser tests
    file          # its library tells Odoo the type of a file
    git           # Odoo, where no mirror has it
    gpg           # signs the mirrors of tests
    gpg-agent
    libatomic1    # Playwright's own Node.js needs it
    postgresql
    python3
    python3-venv
)

# A company's own mirror, or a frozen one, may be older than the week for which its
# lists are meant to be used. Their signatures are checked all the same.
TAKES_OLD_MIRRORS=(-o Acquire::Check-Valid-Until=false)

install_debian_packages() {
    local missing
    mapfile -t missing < <(missing_debian_packages)
    ((${#missing[@]})) || return 0
    can_become_root || fail "These Debian packages are missing: ${missing[*]}." \
        "Install them as root (apt-get install --no-install-recommends ${missing[*]}) and run ./dev again."
    step "Reading Debian's package lists" as_root apt-get update --quiet "${TAKES_OLD_MIRRORS[@]}"
    step "Installing ${missing[*]}" apt_get_install "${missing[@]}"
}

missing_debian_packages() {
    local package
    for package in "${DEBIAN_PACKAGES[@]}"; do
        dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null |
            grep --quiet '^installed$' || echo "$package"
    done
}

can_become_root() {
    ((EUID == 0)) && return
    command -v sudo >/dev/null || return
    # Asks for the password once, before a step hides the question.
    if [[ -t 0 ]]; then sudo --validate; else sudo --non-interactive true 2>/dev/null; fi
}

as_root() {
    if ((EUID == 0)); then "$@"; else sudo --non-interactive "$@"; fi
}

# Installing PostgreSQL creates and starts a server of Debian's own, which the
# project doesn't use: told not to for the time of the installation.
apt_get_install() {
    local config=/etc/postgresql-common/createcluster.d/frontpay-dev.conf status=0
    as_root mkdir -p "${config%/*}"
    echo "create_main_cluster = false" | as_root tee "$config" >/dev/null
    # An interrupted installation is finished first.
    as_root env DEBIAN_FRONTEND=noninteractive dpkg --configure --pending &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes \
            --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" || status=$?
    as_root rm -f "$config"
    return "$status"
}
