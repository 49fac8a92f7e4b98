"""Calls between the files of an order run downwards only.

A method belongs to the file that defines it. Every mention of it elsewhere, called or
handed on, is an arrow from that file to its home; the stack below says where it may
point. ``python -m tests.test_layers`` prints the arrows.
"""

import ast
import re
from pathlib import Path

ADDON = Path(__file__).parent.parent / "frontpay_odoo"
# From the top; a file may call those further down.
STACK = (
    "controllers/callback.py",
    "controllers/customer_form.py",
    "controllers/portal.py",
    "controllers/return_page.py",
    "wizards/account_move_reversal.py",
    "wizards/account_payment_register.py",
    "wizards/frontpay_vat_report.py",
    "wizards/payment_link_wizard.py",
    "models/account_move_payout.py",
    "models/account_move_line.py",
    "models/account_bank_statement_line.py",
    "models/frontpay_settlement_report.py",
    "models/frontpay_payout.py",
    "models/account_journal.py",
    "models/account_move_batch.py",
    "wizards/frontpay_batch.py",
    "wizards/frontpay_approval.py",
    "wizards/frontpay_cancel.py",
    "wizards/frontpay_customer_comparison.py",
    "wizards/frontpay_resend.py",
    "models/mail_mail.py",
    "models/mail_notification.py",
    "models/account_move_link.py",
    "models/account_partial_reconcile.py",
    "models/account_payment.py",
    "models/payment_transaction.py",
    "models/account_move_refunded.py",
    "models/account_move_refund.py",
    "wizards/frontpay_refund_resolve.py",
    "models/account_move.py",
    "wizards/frontpay_ask_customer.py",
    "models/account_move_collection.py",
    "models/account_move_guard.py",
    "wizards/frontpay_resolve.py",
    "models/frontpay_customer_form.py",
    "models/frontpay_refund_queue.py",
    "models/frontpay_refund_submission.py",
    "models/frontpay_order_recovery.py",
    "models/frontpay_remote_order.py",
    "models/frontpay_order_queue.py",
    "models/frontpay_order_cancellation.py",
    "models/frontpay_order_submission.py",
    "models/frontpay_order_link.py",
    "models/frontpay_order_comparison.py",
    "models/frontpay_order_polling.py",
    "models/frontpay_order_status.py",
    "models/frontpay_order_refunds.py",
    "models/frontpay_order_payment.py",
    "models/frontpay_order_unbooking.py",
    "models/frontpay_order_change.py",
    "models/frontpay_order_overview.py",
    "models/frontpay_order_customer.py",
    "models/frontpay_callback.py",
    "models/frontpay_outage.py",
    "models/frontpay_setup.py",
    "models/res_company_setup.py",
    "models/frontpay_check.py",
    "models/frontpay_refund.py",
    "models/frontpay_order.py",
    "models/frontpay_handover.py",
    "models/res_company_settlement.py",
    "models/res_company.py",
    "models/frontpay_exchange.py",
    "models/frontpay_rate_limit.py",
)
PRIVATE = re.compile("_[^_]")
# From the top; a room may know those further down, and nothing beside these.
ROOMS = ("controllers", "wizards", "models", "tools", "mapping", "connect")


def _tree(name, root):
    return ast.parse((root / name).read_text())


def homes_of(root=ADDON):
    """Where each method of ours is defined.

    :return: {method: [file]}; private methods only, for public ones answer to Odoo
    """
    homes = {}
    for name in STACK:
        for node in ast.walk(_tree(name, root)):
            if isinstance(node, ast.FunctionDef) and PRIVATE.match(node.name):
                homes.setdefault(node.name, []).append(name)
    return homes


def arrows_of(root=ADDON):
    """Which file mentions which methods of another one.

    :return: {(file, home): {method}}
    """
    homes = {method: names[0] for method, names in homes_of(root).items()}
    arrows = {}
    for name in STACK:
        for node in ast.walk(_tree(name, root)):
            # methodcaller("_method") and the like name it as a text.
            text = node.value if isinstance(node, ast.Constant) else None
            method = node.attr if isinstance(node, ast.Attribute) else text
            home = homes.get(method) if isinstance(method, str) else None
            if home and home != name:
                arrows.setdefault((name, home), set()).add(method)
    return arrows


def upward_of(arrows):
    return {
        f"{name} calls {', '.join(sorted(methods))} of {home}, which stands above it"
        for (name, home), methods in arrows.items()
        if STACK.index(home) < STACK.index(name)
    }


def climbing_imports(root=ADDON):
    """Which file imports from a room that stands above its own."""
    return [
        f"{path.relative_to(root)} imports from {room}"
        for place, own in enumerate(ROOMS)
        for path in sorted((root / own).rglob("*.py"))
        for room in ROOMS[:place]
        if re.search(rf"^\s*from \.+{room}\b", path.read_text(), re.MULTILINE)
    ]


def test_a_room_knows_only_those_below_it():
    assert not climbing_imports()


def test_an_import_from_above_is_seen(tmp_path):
    (tmp_path / "mapping").mkdir()
    (tmp_path / "mapping" / "lines.py").write_text("from ..tools.retry import pause\n")
    assert climbing_imports(tmp_path) == ["mapping/lines.py imports from tools"]


def test_calls_run_downwards():
    assert not upward_of(arrows_of())


def test_a_method_has_one_home():
    homes = homes_of()
    assert not {method: homes[method] for method in homes if len(homes[method]) > 1}


def test_a_call_upwards_is_seen(tmp_path):
    for name in STACK:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((ADDON / name).read_text())
    low = tmp_path / "models/frontpay_order.py"
    low.write_text(low.read_text() + "\n\ndef _climb(order):\n    order._cron_send()\n")
    [sentence] = upward_of(arrows_of(tmp_path))
    assert "_cron_send" in sentence


if __name__ == "__main__":
    found = arrows_of()
    print(f"{len(STACK)} files, {len(found)} arrows, {len(upward_of(found))} upwards")
    for (source, target), methods in sorted(found.items()):
        print(f"{source} -> {target}: {', '.join(sorted(methods))}")
