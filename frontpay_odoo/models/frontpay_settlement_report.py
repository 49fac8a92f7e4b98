from odoo import api, fields, models
from odoo.tools import SQL


class FrontpaySettlementReport(models.Model):
    """What Front Payment has collected, paid back, kept and paid out, by journal and
    period. All changes up to a day come to the balance of the clearing account: what is
    outstanding then.

    Outside of pay-outs, each row is an item of the clearing account; of a pay-out, each
    is what the clearing account was credited for.
    """

    _name = "frontpay.settlement.report"
    _description = "Front Payment Settlement"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "move_id"

    date = fields.Date(readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    journal_id = fields.Many2one("account.journal", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    move_id = fields.Many2one("account.move", string="Journal Entry", readonly=True)
    payout_id = fields.Many2one("frontpay.payout", string="Pay-out", readonly=True)
    collected = fields.Monetary(
        readonly=True, help="What customers have paid to Front Payment."
    )
    refunded = fields.Monetary(
        readonly=True, help="What Front Payment has paid back to customers."
    )
    fee = fields.Monetary(
        string="Fees", readonly=True, help="What Front Payment has kept, without tax."
    )
    fee_tax = fields.Monetary(string="Tax on Fees", readonly=True)
    paid_out = fields.Monetary(
        readonly=True, help="What Front Payment has paid out to the bank."
    )
    other = fields.Monetary(
        readonly=True,
        help="What else was entered on the clearing account, such as an opening "
        "balance.",
    )
    balance_change = fields.Monetary(
        string="Change in Balance",
        readonly=True,
        help="Collected, less refunds, fees, their tax and what was paid out. All "
        "changes together are the balance: what Front Payment owes.",
    )

    _depends = {
        "account.journal": ["default_account_id"],
        "account.move": ["origin_payment_id", "reversed_entry_id"],
        "account.move.line": [
            *("account_id", "balance", "company_currency_id", "company_id"),
            *("date", "journal_id", "move_id", "parent_state", "partner_id"),
            "tax_line_id",
        ],
        "account.payment": ["journal_id", "outstanding_account_id", "payment_type"],
        "account.payment.method.line": ["journal_id", "payment_account_id"],
        "frontpay.order": ["journal_id"],
        "frontpay.payout": ["fee_account_id", "journal_id", "move_id"],
        "res.company": ["frontpay_journal_id"],
    }

    @property
    def _table_query(self):
        clearing = self._clearing()
        return SQL(
            "WITH clearing AS (%s), payout AS (%s) %s UNION ALL (%s)",
            self._as_table(clearing),
            self._payouts(),
            self._paid_out(),
            self._items({account for _journal, account, _is_own in clearing}),
        )

    @api.model
    def _as_table(self, clearing):
        """:param clearing: as of :meth:`_clearing`"""
        columns = SQL("SELECT NULL::int4 AS journal_id, NULL::int4 AS account_id,")
        none = SQL("%s FALSE AS is_own WHERE FALSE", columns)
        rows = [SQL("SELECT %s::int4, %s::int4, %s::bool", *row) for row in clearing]
        return SQL(" UNION ALL ").join([none, *rows])

    @api.model
    def _journals(self):
        """Those of the settings, and those that once were."""
        return SQL(
            """
            SELECT frontpay_journal_id AS id FROM res_company
             WHERE frontpay_journal_id IS NOT NULL
             UNION SELECT journal_id FROM frontpay_payout
             UNION SELECT id
                     FROM account_journal
                    WHERE EXISTS (SELECT FROM frontpay_order
                                   WHERE journal_id = account_journal.id)
            """
        )

    @api.model
    def _clearing(self):
        """As ``_frontpay_clearing_domain`` of the journals, and where their payments
        were entered when the journals had other accounts. They are few, and read before
        the items are: PostgreSQL knows then of how many it is asked.

        :return: list of (journal's id, account's, whether it is the journal's own)
        """
        for model, names in self._depends.items():
            self.env[model].flush_model(names)
        query = SQL(
            """
            WITH journal AS (%s)
            SELECT own.id AS journal_id, own.default_account_id AS account_id,
                   TRUE AS is_own
              FROM account_journal own
              JOIN journal ON journal.id = own.id
             UNION
            SELECT method.journal_id, method.payment_account_id, FALSE
              FROM account_payment_method_line method
              JOIN journal ON journal.id = method.journal_id
              JOIN account_journal own ON own.id = method.journal_id
             WHERE method.payment_account_id != own.default_account_id
             UNION
            SELECT payment.journal_id, payment.outstanding_account_id, FALSE
              FROM account_payment payment
              JOIN journal ON journal.id = payment.journal_id
              JOIN account_journal own ON own.id = payment.journal_id
             WHERE payment.outstanding_account_id != own.default_account_id
            """,
            self._journals(),
        )
        return self.env.execute_query(query)

    @api.model
    def _payouts(self):
        """The entries of pay-outs, and those that reverse them."""
        return SQL(
            """
            SELECT id, move_id, journal_id, fee_account_id
              FROM frontpay_payout
             WHERE move_id IS NOT NULL
             UNION ALL
            SELECT payout.id, reversal.id, payout.journal_id, payout.fee_account_id
              FROM frontpay_payout payout
              JOIN account_move reversal ON reversal.reversed_entry_id = payout.move_id
            """
        )

    @api.model
    def _items(self, accounts):
        """What stands in the clearing account, but for pay-outs; once, even if journals
        share the account.

        :param accounts: ids of the clearing accounts
        """
        return SQL(
            """
            SELECT line.id, line.date, line.company_id, line.company_currency_id,
                   line.partner_id, line.move_id, NULL::int4,
                   COALESCE(entered.journal_id, usual.journal_id),
                   CASE payment.payment_type
                        WHEN 'inbound' THEN line.balance ELSE 0 END,
                   CASE payment.payment_type
                        WHEN 'outbound' THEN -line.balance ELSE 0 END,
                   0, 0, 0,
                   CASE WHEN payment.id IS NULL THEN line.balance ELSE 0 END,
                   line.balance
              FROM account_move_line line
         LEFT JOIN clearing entered
                ON entered.account_id = line.account_id
               AND entered.journal_id = line.journal_id
         LEFT JOIN (SELECT account_id, min(journal_id) AS journal_id
                      FROM clearing
                     WHERE is_own
                     GROUP BY account_id) usual
                ON usual.account_id = line.account_id
              JOIN account_move move ON move.id = line.move_id
         LEFT JOIN payout ON payout.move_id = move.id
         LEFT JOIN account_move reversed ON reversed.id = move.reversed_entry_id
         LEFT JOIN account_payment payment
                ON payment.id
                   = COALESCE(move.origin_payment_id, reversed.origin_payment_id)
             WHERE line.account_id IN %s
               AND COALESCE(entered.journal_id, usual.journal_id) IS NOT NULL
               AND line.parent_state = 'posted' AND payout.id IS NULL
            """,
            tuple(accounts) or (None,),
        )

    @api.model
    def _paid_out(self):
        """What a pay-out credited the clearing account for."""
        return SQL(
            """
            SELECT line.id, line.date, line.company_id,
                   line.company_currency_id AS currency_id, line.partner_id,
                   line.move_id, payout.id AS payout_id, payout.journal_id,
                   0 AS collected, 0 AS refunded,
                   CASE kind.name WHEN 'fee' THEN line.balance ELSE 0 END AS fee,
                   CASE kind.name WHEN 'tax' THEN line.balance ELSE 0 END AS fee_tax,
                   CASE kind.name WHEN 'bank' THEN line.balance ELSE 0 END AS paid_out,
                   0 AS other, -line.balance AS balance_change
              FROM payout
              JOIN account_move_line line ON line.move_id = payout.move_id
         LEFT JOIN clearing
                ON clearing.account_id = line.account_id
               AND clearing.journal_id = payout.journal_id,
           LATERAL (SELECT CASE WHEN line.tax_line_id IS NOT NULL THEN 'tax'
                                WHEN line.account_id = payout.fee_account_id THEN 'fee'
                                ELSE 'bank' END AS name) kind
             WHERE line.parent_state = 'posted' AND clearing.account_id IS NULL
            """
        )
