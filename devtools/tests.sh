# The tests. Two databases keep the addon's dependencies installed, the base with a
# country's accounting and the bare one without; every run copies the base, installs
# the addon in the copy, and drops the copy at its end.

ADDON=frontpay_odoo
# A Norwegian chart of accounts, for the tests that need one.
TEST_MODULES=(account l10n_no)
# For two cores: two processes compute while a third one waits most of the time. A
# file's tests share servers, so they stay together.
IN_THREE_PROCESSES=(--numprocesses 3 --dist loadfile --no-loadscope-reorder)

run_tests() {
    local options=()
    # More of the invoices that tests make up, anew in every run, and months of trade: takes hours.
    if [[ ${1:-} == --long ]]; then
        export FRONTPAY_LONG=1
        shift
    fi
    setup
    cd "$ROOT"
    if named_paths_are_below '^sandbox/' "$@"; then
        exec "$PYTHON" -m pytest -p no:odoo "$@"
    fi
    start_postgres
    trap 'drop_run_databases; stop_postgres_if_unused' EXIT
    drop_left_databases
    clear_old_logs
    # Tests that start an Odoo of their own copy this database. Copies whose names
    # begin with its name are dropped at the end as well.
    export FRONTPAY_TEMPLATE_DB=frontpay_template_$$
    make_template_database
    if named_paths_are_below '^(sandbox|tests)/' "$@"; then
        options=(-p no:odoo)
    else
        createdb --template "$FRONTPAY_TEMPLATE_DB" "frontpay_test_$$"
        # Odoo would limit the memory of the whole run, browsers included.
        options=(
            --odoo-config "$ODOO_RC" --odoo-database "frontpay_test_$$" --odoo-http
            --odoo-extra max-cron-threads=0 --odoo-extra limit-memory-hard=0
        )
    fi
    names_paths "$@" || options+=("${IN_THREE_PROCESSES[@]}")
    "$PYTHON" -m pytest "${options[@]}" "$@"
}

# names_paths ARGS...: whether some of the arguments are paths.
names_paths() {
    local argument
    for argument in "$@"; do
        [[ $argument == -* || ! -e ${argument%%::*} ]] || return 0
    done
    return 1
}

# named_paths_are_below PATTERN ARGS...: whether the arguments name paths, and all
# of them match it.
named_paths_are_below() {
    local pattern=$1 argument path found=1
    shift
    for argument in "$@"; do
        [[ $argument != -* && -e ${argument%%::*} ]] || continue
        path=$(realpath --relative-to "$ROOT" "${argument%%::*}")/
        [[ $path =~ $pattern ]] || return 1
        found=0
    done
    return "$found"
}

make_template_database() {
    local base version
    version=$({ addon_dependencies && echo "${TEST_MODULES[@]}" "$PYTHONPATH"; } | hash_of - "$ODOO_RELEASE")
    base=frontpay_base_$version
    export FRONTPAY_BARE_DB=frontpay_bare_$version
    hold_setup_lock
    if ! database_exists "$base"; then
        drop_databases '^frontpay_(bare|base)_'
        step "Creating the template databases" create_base_databases "$FRONTPAY_BARE_DB" "$base"
    fi
    release_setup_lock
    createdb --template "$base" "$FRONTPAY_TEMPLATE_DB"
    if [[ -e $ADDON/__manifest__.py ]]; then
        step "Installing the addon" install_modules "$FRONTPAY_TEMPLATE_DB" "$ADDON"
    fi
}

addon_dependencies() {
    "$PYTHON" -c '
import ast, pathlib, sys
print(*ast.literal_eval(pathlib.Path(sys.argv[1]).read_text())["depends"], sep="\n")
' "$ROOT/$ADDON/__manifest__.py"
}

# create_base_databases BARE BASE: BASE is BARE with the test modules. Each name
# appears when all is in it, so an interrupted run leaves none behind.
create_base_databases() {
    local new=frontpay_base_new
    drop_database "$new"
    # shellcheck disable=SC2046
    install_modules "$new" $(addon_dependencies) &&
        keep_attachments_in_database "$new" &&
        rename_database "$new" "$1" &&
        createdb --template "$1" "$new" &&
        install_modules "$new" "${TEST_MODULES[@]}" &&
        keep_attachments_in_database "$new" &&
        rename_database "$new" "$2"
}

rename_database() { psql_on postgres --command "ALTER DATABASE $1 RENAME TO $2"; }

# Files outside the database wouldn't come along with a copy of it.
keep_attachments_in_database() {
    "$PYTHON" -m odoo shell --no-http --database "$1" <<'PYTHON'
env["ir.config_parameter"].set_param("ir_attachment.location", "db")
env["ir.attachment"].force_storage()
env.cr.commit()
PYTHON
}

# install_modules DATABASE [--with-demo] MODULES...
# Demo data comes with Norwegian, for the customers; who logs in has English.
install_modules() {
    local database=$1 options=() names
    shift
    if [[ $1 == --with-demo ]]; then
        options=(--with-demo --load-language "en_US,nb_NO")
        shift
    fi
    names=$(IFS=, && echo "$*")
    "$PYTHON" -m odoo --no-http --database "$database" --init "$names" --stop-after-init \
        "${options[@]}" || return
    # Odoo only warns of a module that it doesn't know.
    [[ $(psql_on "$database" --command "SELECT count(*) FROM ir_module_module
        WHERE state = 'installed' AND name = ANY('{$names}')") == "$#" ]] ||
        fail "Not all of these modules could be installed: $names."
}

drop_run_databases() { drop_databases "^frontpay_(template|test)_$$(_|-|\$)"; }

# Those of a run stay until the next one.
clear_old_logs() {
    local folder
    for folder in "$DEV"/log/tests/*; do
        [[ -d /proc/${folder##*_} && ${folder##*_} != "$$" ]] || rm -rf "$folder"
    done
}

# Databases of test runs that were killed.
drop_left_databases() {
    local pid
    psql_on postgres --command "SELECT DISTINCT substring(datname FROM '^frontpay_(?:template|test)_([0-9]+)')
        FROM pg_database WHERE datname ~ '^frontpay_(template|test)_[0-9]+'" |
        while read -r pid; do
            [[ -d /proc/$pid ]] || drop_databases "^frontpay_(template|test)_$pid(_|-|\$)"
        done
}

# drop_databases PATTERN
drop_databases() {
    local name
    psql_on postgres --command "SELECT datname FROM pg_database WHERE datname ~ '$1'" |
        while read -r name; do
            drop_database "$name"
        done
}
