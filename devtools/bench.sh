# Measurements, in a database that is dropped at the end.

run_bench() {
    local database=frontpay_test_$$_bench
    setup
    cd "$ROOT"
    start_postgres
    trap 'drop_run_databases; stop_postgres_if_unused' EXIT
    drop_left_databases
    export FRONTPAY_TEMPLATE_DB=frontpay_template_$$
    make_template_database
    createdb --template "$FRONTPAY_TEMPLATE_DB" "$database"
    step "Installing Odoo's own export" install_modules "$database" account_edi_ubl_cii
    "$PYTHON" -m bench "$database" "$@"
}
