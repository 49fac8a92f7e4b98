"""What the crons and foreign keys search has an index. ``./dev bench install`` shows
that PostgreSQL takes it among 300,000 orders."""

from odoo import fields
from odoo.fields import Domain
from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL

from odoo.addons.frontpay_odoo.hooks import COLUMNS
from odoo.addons.frontpay_odoo.models.account_journal import CARD_ROWS
from odoo.addons.frontpay_odoo.models.frontpay_order import IN_DOUBT_STATES
from odoo.addons.frontpay_odoo.models.frontpay_order_polling import POLL_ORDER

# Of our tables and to them; Odoo indexes nobody's who created or changed a record.
FOREIGN_KEYS = r"""
    SELECT key.conrelid::regclass::text, attribute.attname
      FROM pg_constraint key
      JOIN pg_attribute attribute
        ON attribute.attrelid = key.conrelid AND attribute.attnum = key.conkey[1]
      JOIN pg_class model ON model.oid = key.conrelid
     WHERE key.contype = 'f'
       AND (key.conrelid::regclass::text LIKE 'frontpay\_%%'
            OR attribute.attname LIKE 'frontpay\_%%')
       AND attribute.attname NOT IN ('create_uid', 'write_uid')
       AND NOT EXISTS (SELECT FROM pg_index
                        WHERE indrelid = key.conrelid AND indkey[0] = key.conkey[1])
     ORDER BY 1, 2
"""
# Tables with few rows, or with rows that are gone after a day.
FEW = {
    "res_company",
    "frontpay_resolve",
    "frontpay_resolve_candidate",
    "frontpay_ask_customer",
    "frontpay_customer_comparison",
    "frontpay_customer_comparison_line",
    "frontpay_refund_resolve",
    "frontpay_vat_report_row",
}
# So many that it costs to read them all; of one invoice, which is copied.
MANY = {
    "account_move": """
        INSERT INTO account_move (company_id, journal_id, currency_id, partner_id,
                                  date, state, move_type, auto_post)
        SELECT company_id, journal_id, currency_id, partner_id,
               date, state, move_type, auto_post
          FROM account_move, generate_series(1, 3000) WHERE id = %(invoice)s
    """,
    "frontpay_order": """
        INSERT INTO frontpay_order (move_id, company_id, channel, state, reference,
                                    token, order_uuid, sent_at)
        SELECT id, company_id, 'session', 'paid', id, md5(id::text), 'ODR' || id,
               now() - id * interval '2 minutes'
          FROM account_move WHERE id > %(invoice)s
    """,
    "frontpay_refund": """
        INSERT INTO frontpay_refund (move_id, order_id, company_id, state, effect)
        SELECT move_id, id, company_id, 'refunded', 'refund' FROM frontpay_order
    """,
    "frontpay_callback": """
        INSERT INTO frontpay_callback (order_id, order_uuid, poll_at)
        SELECT id, order_uuid, now() + interval '1 hour' FROM frontpay_order
    """,
    "frontpay_exchange": """
        INSERT INTO frontpay_exchange (order_id, company_id, direction, create_date)
        SELECT id, company_id, 'out', now() FROM frontpay_order
    """,
}
# By these, all orders of a company are read, and there may be one company.
WIDE = (
    "frontpay_order__company_id_index",
    "frontpay_order_one_order_per_number",
    "frontpay_refund__company_id_index",
)


def searches(env):
    """What is searched over and over.

    :return: {what for: its query}
    """
    orders = env["frontpay.order"].sudo()
    callbacks = env["frontpay.callback"].sudo()
    company = Domain("company_id", "=", env.company.id)
    now = fields.Datetime.now()
    in_doubt = [("state", "in", tuple(IN_DOUBT_STATES))]
    lately = fields.Datetime.subtract(now, hours=1)
    sent = company & Domain("order_uuid", "!=", False) & Domain("sent_at", ">=", lately)
    return {
        "the queue": orders._search(
            orders._queued_domain(), order="tries, id"
        ).select(),
        "orders to poll": orders._search(
            orders._due_domain(), order=POLL_ORDER, limit=1000
        ).select(),
        "a company's open orders": orders._search(
            orders._open_domain() & company
        ).select(),
        "unknown outcomes": orders._search(in_doubt).select(),
        "orders sent about the same time": orders._search(
            sent, order="sent_at, id", limit=20
        ).select(),
        "an order by its number": orders._search(
            [("order_uuid", "=", "ODR5")], limit=1
        ).select(),
        "an order by its token": orders._search([("token", "=", "A" * 32)]).select(),
        "an invoice's order": orders._search([("move_id", "=", 5)]).select(),
        "waiting callbacks": callbacks._search([("poll_at", "<=", now)]).select(),
        "the log's end": SQL(
            "SELECT id FROM frontpay_exchange WHERE company_id = %s"
            " AND create_date < %s ORDER BY create_date LIMIT 1000",
            env.company.id,
            fields.Datetime.subtract(now, days=400),
        ),
        **{
            f"the journal's card: {name}": env[model]
            .sudo()
            ._search(company & domain)
            .select()
            for name, (model, domain) in CARD_ROWS.items()
        },
    }


def plan_of(env, query):
    """PostgreSQL's plan for a query.

    :return: (names of the indexes, tables that are read as a whole)
    """
    env.flush_all()
    [[[plan]]] = env.execute_query(SQL("EXPLAIN (FORMAT JSON) %s", query))
    nodes = [plan["Plan"]]
    for node in nodes:
        nodes += node.get("Plans", [])
    return (
        [node["Index Name"] for node in nodes if "Index Name" in node],
        [node["Relation Name"] for node in nodes if _reads_all(env, node)],
    )


def _reads_all(env, node):
    """An index with a condition of its own has but the rows that are searched."""
    if "Index Name" not in node or "Index Cond" in node:
        return node["Node Type"] == "Seq Scan"
    has_condition = SQL(
        "SELECT indpred IS NOT NULL FROM pg_index WHERE indexrelid = %s::regclass",
        node["Index Name"],
    )
    return not env.execute_query(has_condition)[0][0]


@tagged("post_install", "-at_install", "frontpay")
class TestIndexes(TransactionCase):
    def test_each_foreign_key_has_an_index(self):
        found = self.env.execute_query(SQL(FOREIGN_KEYS))
        self.assertEqual([key for key in found if key[0] not in FEW], [])

    def test_an_installation_computes_nothing_for_the_invoices_that_are_there(self):
        computed = {
            field.name
            for field in self.env["account.move"]._fields.values()
            if field.name.startswith("frontpay_") and field.compute
            if field.store and field.column_type
        }
        self.assertEqual(computed, {*COLUMNS})

    def test_each_search_has_an_index(self):
        self._make_many()
        # Even so, a table may be small enough to be read as a whole.
        self.env.execute_query(SQL("SELECT set_config('enable_seqscan', 'off', true)"))
        for index in WIDE:
            self.env.cr.execute(SQL("DROP INDEX %s", SQL.identifier(index)))
        self.env["res.lang"]._activate_lang("nb_NO")
        for lang in ("en_US", "nb_NO"):
            for what, query in searches(self.env(context={"lang": lang})).items():
                with self.subTest(what, lang=lang):
                    indexes, whole = plan_of(self.env, query)
                    self.assertTrue(indexes)
                    self.assertEqual(whole, [])

    def _make_many(self):
        customer = self.env["res.partner"].create({"name": "Kari Demokunde"})
        invoice = self.env["account.move"].create(
            {"move_type": "out_invoice", "partner_id": customer.id}
        )
        self.env.flush_all()
        for table, query in MANY.items():
            self.env.cr.execute(query, {"invoice": invoice.id})
            self.env.cr.execute(SQL("ANALYZE %s", SQL.identifier(table)))
