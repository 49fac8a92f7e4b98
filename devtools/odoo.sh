# Odoo 19: the folder named by ODOO_HOME; or Debian's package, which is in the suite sid
# only and is unpacked into .dev/odoo, not installed; or, where no mirror has it, the
# branch of Odoo's own repository.

ODOO_REPOSITORY=${FRONTPAY_ODOO_REPOSITORY:-https://github.com/odoo/odoo}
ODOO_BRANCH=19.0
ODOO_PACKAGES=(odoo-19 libjs-jquery libjs-jquery-form libjs-underscore)
# The package links to fonts; sid's newer ones lack files that the links name.
ODOO_FONTS=(
    fonts-dejavu-core fonts-font-awesome fonts-inconsolata fonts-montserrat
    fonts-roboto-unhinted
)
# Debian leaves out this script; without it every page logs an error.
LEFT_OUT_SCRIPT=mail/static/lib/selfie_segmentation/selfie_segmentation.js
DIST_PACKAGES=usr/lib/python3/dist-packages

fetch_odoo() {
    if [[ -n ${ODOO_HOME:-} ]]; then
        locate_odoo "$ODOO_HOME" || fail "ODOO_HOME=$ODOO_HOME holds no Odoo 19:" \
            "no odoo/release.py of version 19.0 was found there."
        [[ -e ${ODOO_ADDONS##*,}/$LEFT_OUT_SCRIPT ]] ||
            say "ODOO_HOME lacks $LEFT_OUT_SCRIPT: browser pages will log an error. An empty file there is enough."
        return
    fi
    if [[ ! -d $DEV/odoo ]]; then
        rm -rf "$DEV/odoo.new"
        step "Fetching Odoo 19" download_odoo
        step "Unpacking Odoo 19" unpack_odoo
        mv "$DEV/odoo.new" "$DEV/odoo"
    fi
    locate_odoo "$DEV/odoo" || fail "$DEV/odoo holds no Odoo 19. Run ./dev clean and try again."
}

# locate_odoo FOLDER: sets PYTHONPATH and ODOO_ADDONS for a source checkout, an
# unpacked Debian package, or the folder that holds the Python package odoo.
locate_odoo() {
    local folder
    for folder in "$1" "$1/$DIST_PACKAGES" "$1/.."; do
        grep --quiet --no-messages '^version_info = (19, 0,' "$folder/odoo/release.py" || continue
        folder=$(cd "$folder" && pwd -P)
        ODOO_ADDONS=$folder/odoo/addons
        [[ -d $ODOO_ADDONS/account ]] || ODOO_ADDONS+=,$folder/addons
        ODOO_RELEASE=$folder/odoo/release.py
        export PYTHONPATH=$folder
        return 0
    done
    return 1
}

download_odoo() {
    download_odoo_from_sid && return
    rm -rf "$DEV/odoo.new"
    echo "Trying $ODOO_REPOSITORY, branch $ODOO_BRANCH"
    clone_odoo && return
    echo "Neither this machine's Debian mirrors nor $ODOO_REPOSITORY gave Odoo 19."
    echo "Set ODOO_HOME to the folder of an Odoo 19, or FRONTPAY_ODOO_REPOSITORY to the address of a copy of Odoo's repository, and run ./dev again."
    return 1
}

clone_odoo() {
    git clone --quiet --depth 1 --single-branch --branch "$ODOO_BRANCH" \
        "$ODOO_REPOSITORY" "$DEV/odoo.new"
}

debian_keyring() {
    local keyring
    for keyring in /usr/share/keyrings/debian-archive-keyring.{pgp,gpg}; do
        [[ ! -e $keyring ]] || { echo "$keyring" && return; }
    done
}

# A package source of its own for the suite sid, from the mirrors and with the
# keys that the machine's apt uses already. Needs no root.
download_odoo_from_sid() {
    local apt=$DEV/odoo.new/apt keyring mirror mirrors
    keyring=$(debian_keyring)
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
    cat >"$apt/apt.conf" <<CONF
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$apt/lists";
Dir::Cache "$apt/cache";
APT::Sandbox::User "root";
Acquire::Languages "none";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
CONF
    # shellcheck disable=SC2016 # $(SITE) is apt's
    mapfile -t mirrors < <(apt-get indextargets --format '$(SITE)' | sort -u)
    for mirror in "${mirrors[@]}"; do
        echo "deb ${keyring:+[signed-by=$keyring]} $mirror sid main" >"$apt/sources.list"
        rm -rf "$apt"/lists/*_*
        echo "Trying $mirror"
        if apt_get_from_sid update --error-on=any && download_odoo_packages; then
            return
        fi
    done
    echo "None of this machine's Debian mirrors (${mirrors[*]:-none configured}) gave Odoo 19 of the suite sid."
    return 1
}

apt_get_from_sid() {
    APT_CONFIG=$DEV/odoo.new/apt/apt.conf apt-get --quiet "${TAKES_OLD_MIRRORS[@]}" "$@"
}

download_odoo_packages() (
    cd "$DEV/odoo.new"
    apt_get_from_sid download "${ODOO_PACKAGES[@]}" || return
    for font in "${ODOO_FONTS[@]}"; do
        apt-get --quiet -o APT::Sandbox::User=root download "$font" ||
            apt_get_from_sid download "$font" || return
    done
)

unpack_odoo() {
    local package script
    cd "$DEV/odoo.new"
    [[ ! -d .git ]] || return 0
    for package in *.deb; do
        dpkg-deb --extract "$package" .
    done
    rm -rf ./*.deb apt
    script=$DIST_PACKAGES/odoo/addons/$LEFT_OUT_SCRIPT
    mkdir -p "${script%/*}"
    touch "$script"
}

# Odoo reads the file named by ODOO_RC, whatever its subcommand.
write_odoo_config() {
    local installed
    installed=$(echo "$DEV"/venv/lib/python3*/site-packages/odoo/addons)
    export ODOO_RC=$DEV/odoo.conf
    cat >"$ODOO_RC.new" <<CONF
[options]
addons_path = $ODOO_ADDONS,$installed,$ROOT
data_dir = $DEV/data
db_host = 127.0.0.1
db_port = $FRONTPAY_PG_PORT
db_user = odoo
http_interface = 127.0.0.1
http_port = $FRONTPAY_ODOO_PORT
gevent_port = $((FRONTPAY_ODOO_PORT + 3))
screenshots = $DEV/screenshots
CONF
    mv "$ODOO_RC.new" "$ODOO_RC"
}
