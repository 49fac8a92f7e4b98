from odoo.tools.sql import column_exists, create_column

# Odoo computes a stored field for all records when it makes its column. Invoices that
# are there already have no order and no refund, so these columns are made before, and
# empty.
COLUMNS = {
    "frontpay_order_id": "int4",
    "frontpay_state": "varchar",
    "frontpay_refund_id": "int4",
    "frontpay_refund_state": "varchar",
}


def pre_init_hook(env):
    for name, kind in COLUMNS.items():
        if not column_exists(env.cr, "account_move", name):
            create_column(env.cr, "account_move", name, kind)


def uninstall_hook(env):
    """Odoo names what a model inherits once for each module that extends the parent,
    and would forget the names of those other modules only with them."""
    names = [
        ("model", "=", "ir.model.inherit"),
        ("name", "=like", "model_inherit__frontpay_%"),
    ]
    env["ir.model.data"].search(names).unlink()
