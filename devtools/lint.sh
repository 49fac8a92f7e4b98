# The checks. All of them run; --fix puts right what a program can: formatting and
# translation files.

PRETTIER=$DEV/prettier/node_modules
PRETTIER_OPTIONS=(
    --plugin "$PRETTIER/@prettier/plugin-xml/src/plugin.js"
    --log-level warn
    --print-width 88
    --tab-width 4
    --bracket-same-line
    --xml-whitespace-sensitivity preserve
)

run_lint() {
    local fix=() format=(--diff) write=--check failed=() addons
    if [[ ${1:-} == --fix ]]; then
        fix=(--fix) format=() write=--write
        shift
    fi
    (($# == 0)) || { usage >&2; exit 2; }
    setup
    hold_setup_lock
    install_prettier
    release_setup_lock
    start_postgres
    trap 'drop_run_databases; stop_postgres_if_unused' EXIT
    cd "$ROOT"
    mapfile -t addons < <(printf '%s\n' */__manifest__.py | xargs -n 1 dirname)
    check "Python rules" "$PYTHON" -m ruff check --quiet "${fix[@]}" .
    check "Python formatting" "$PYTHON" -m ruff format --quiet "${format[@]}" .
    check "Odoo rules" "$PYTHON" -m pylint "${addons[@]}"
    # Prettier lets tags pass that don't match, and attributes that come twice.
    check "XML syntax" find "${addons[@]}" -name '*.xml' -exec "$PYTHON" -c \
        'import sys, lxml.etree as xml; list(map(xml.parse, sys.argv[1:]))' {} +
    # Together with the files that dev reads.
    check "Shell scripts" "$DEV/venv/bin/shellcheck" --external-sources --check-sourced \
        --source-path=SCRIPTDIR dev .ci/run
    check "XML, script and style formatting" format_with_prettier "$write"
    check "Translation files" compare_translations "${fix[@]}"
    if ((${#failed[@]})); then
        printf 'Failed: %s\n' "${failed[@]}" >&2
        fail "./dev lint --fix repairs formatting and translation files."
    fi
    say "All checks passed."
}

# check TEXT COMMAND...: a failure is noted, and the next check follows.
check() {
    local text=$1
    shift
    say "$text"
    ("$@") || failed+=("$text")
}

install_prettier() {
    local source=$ROOT/devtools/prettier new=$DEV/prettier.new
    cmp --quiet "$source/package-lock.json" "$DEV/prettier/package-lock.json" && return
    rm -rf "$new" "$DEV/prettier"
    cp -R "$source" "$new"
    step "Installing Prettier" install_node_packages "$new"
    mv "$new" "$DEV/prettier"
}

# Node.js comes from its Python package, so that no other is needed.
install_node_packages() {
    PATH=$DEV/venv/bin:$PATH npm ci --prefix "$1" --no-audit --no-fund --ignore-scripts
}

format_with_prettier() {
    "$DEV/venv/bin/node" "$PRETTIER/prettier/bin/prettier.cjs" "${PRETTIER_OPTIONS[@]}" \
        "$1" --no-error-on-unmatched-pattern "**/*.{xml,js,css,scss}"
}

# The template that Odoo writes from the addon's code, against the addon's own.
compare_translations() {
    local exported=$DEV/i18n.pot
    export FRONTPAY_TEMPLATE_DB=frontpay_template_$$
    make_template_database
    step "Collecting the addon's texts" "$PYTHON" -m odoo i18n export \
        --database "$FRONTPAY_TEMPLATE_DB" --output "$exported" "$ADDON"
    "$PYTHON" devtools/translations.py "$exported" "$ADDON/i18n" "$@"
}
