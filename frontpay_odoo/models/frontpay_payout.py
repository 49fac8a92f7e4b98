from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, LockError, UserError
from odoo.fields import Command, Domain
from odoo.tools import format_date

from ..connect.channels import CURRENCY
from ..mapping.remedy import accountant_name
from ..tools.notification import notification
from ..tools.payout_items import proposed
from .res_company_settlement import EXPENSES

# How far the bank's day may be from the pay-out's.
BANK_DAYS = timedelta(days=10)
STATES = [("draft", "Draft"), ("posted", "Posted"), ("cancelled", "Cancelled")]
# What nobody enters; a pay-out's entry and its items follow from them.
COMPUTED = {"move_id", "state", "fee_tax", "total", "difference"}
COMPUTED_OF_ITEM = {"company_id", "date", "amount"}
# In the context of what a pay-out does with its entry; nobody can send it by RPC.
OF_PAYOUT = object()
STATE_OF_ENTRY = {"draft": "draft", "posted": "posted", "cancel": "cancelled"}


class FrontpayPayout(models.Model):
    """Money that Front Payment has paid out, less its fee.

    ::

        draft ---> posted ---> cancelled
          ^          |             |
          +----------+-------------+

    The state is that of the entry, so nobody can part them. No call tells of
    pay-outs (section 25): a person enters what came on the bank.
    """

    _name = "frontpay.payout"
    _description = "Front Payment Pay-out"
    _inherit = ["mail.thread"]
    _order = "date desc, id desc"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company",
        required=True,
        readonly=True,
        index=True,
        default=lambda self: self.env.company,
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    journal_id = fields.Many2one(
        "account.journal",
        string="Front Payment Journal",
        required=True,
        index=True,
        check_company=True,
        domain="[('type', 'in', ('bank', 'cash'))]",
        default=lambda self: self.env.company.sudo().frontpay_journal_id,
    )
    bank_journal_id = fields.Many2one(
        "account.journal",
        string="Bank",
        required=True,
        index=True,
        check_company=True,
        domain="[('type', '=', 'bank'), ('id', '!=', journal_id)]",
        default=lambda self: self._default_bank_journal(),
        help="The bank account that the money came to.",
    )
    date = fields.Date(
        required=True,
        # Payments have the company's day, so that of the person could be before them.
        default=lambda self: self.env.company.sudo()._frontpay_day(),
        tracking=True,
        help="When the money came on the bank.",
    )
    amount = fields.Monetary(
        string="On the Bank",
        tracking=True,
        help="What came on the bank. Below 0 if Front Payment took it from there.",
    )
    fee = fields.Monetary(
        string="Fee Without Tax",
        tracking=True,
        help="What Front Payment has kept, without tax.",
    )
    fee_account_id = fields.Many2one(
        "account.account",
        index="btree_not_null",
        check_company=True,
        domain=EXPENSES,
        default=lambda self: self._default_fee_account(),
    )
    tax_id = fields.Many2one(
        "account.tax",
        string="Tax on the Fee",
        index="btree_not_null",
        check_company=True,
        domain="[('type_tax_use', '=', 'purchase')]",
        default=lambda self: self.env.company.sudo().frontpay_fee_tax_id,
    )
    fee_tax = fields.Monetary(
        string="Tax Amount", compute="_compute_fee_tax", store=True
    )
    line_ids = fields.One2many("frontpay.payout.line", "payout_id", string="Items")
    total = fields.Monetary(
        string="Items in Total", compute="_compute_total", store=True
    )
    difference = fields.Monetary(
        compute="_compute_total",
        store=True,
        help="What the items come to, less the fee, its tax and what came on the bank.",
    )
    left_over = fields.Monetary(
        compute="_compute_left_over",
        help="What Front Payment still owes after this pay-out: the open items of its"
        " journal, up to today, that aren't in it.",
    )
    move_id = fields.Many2one(
        "account.move",
        string="Journal Entry",
        index="btree_not_null",
        readonly=True,
        copy=False,
        ondelete="restrict",
    )
    state = fields.Selection(
        STATES,
        string="Status",
        compute="_compute_state",
        store=True,
        tracking=True,
    )
    statement_line_id = fields.Many2one(
        "account.bank.statement.line",
        string="Bank Statement Line",
        index="btree_not_null",
        copy=False,
        check_company=True,
        domain="[('journal_id', '=', bank_journal_id), ('amount', '=', amount)]",
    )
    is_matched = fields.Boolean(string="Matched", compute="_compute_is_matched")
    unbooked_count = fields.Integer(
        string="Payments Without an Entry",
        compute="_compute_unbooked_count",
        help="Payments of the journal that have no journal entry, so that no pay-out"
        " can settle them.",
    )

    whom_to_ask = fields.Char(
        compute="_compute_whom_to_ask",
        help="Who books pay-outs, for those who may not.",
    )

    _one_per_statement_line = models.UniqueIndex(
        "(statement_line_id) WHERE state != 'cancelled'",
        "The bank statement line has another pay-out already. Cancel that one, or"
        " choose another line.",
    )

    @api.model
    def _default_fee_account(self):
        """As in the settings, else as in the last pay-out."""
        company = self.env.company
        last = self.search(
            [("company_id", "=", company.id), ("fee_account_id", "!=", False)], limit=1
        )
        return company.frontpay_fee_account_id or last.fee_account_id

    def _default_bank_journal(self):
        """The company's first bank that isn't Front Payment's journal."""
        company = self.env.company
        return self.env["account.journal"].search(
            [
                *self.env["account.journal"]._check_company_domain(company),
                ("type", "=", "bank"),
                ("id", "!=", company.frontpay_journal_id.id),
            ],
            limit=1,
        )

    @api.depends("date", "move_id.name")
    def _compute_display_name(self):
        for payout in self:
            name = payout.move_id.name
            payout.display_name = (
                name
                if name and name != "/"
                else self.env._(
                    "Pay-out of %s", format_date(self.env, payout.date) or "…"
                )
            )

    @api.depends("fee", "tax_id", "company_id")
    def _compute_fee_tax(self):
        for payout in self:
            taxes = payout.tax_id.compute_all(
                payout.fee, payout.currency_id, handle_price_include=False
            )
            tax = taxes["total_included"] - taxes["total_excluded"]
            payout.fee_tax = payout._rounded(tax)

    @api.depends("line_ids.amount", "amount", "fee", "fee_tax")
    def _compute_total(self):
        for payout in self:
            payout.total = payout._rounded(sum(payout.line_ids.mapped("amount")))
            payout.difference = payout._rounded(payout.total - payout._target())

    @api.depends("line_ids.amount", "journal_id", "state")
    def _compute_left_over(self):
        for payout in self:
            rest = payout._open_amount()
            if payout.state == "draft":
                rest -= payout.total
            payout.left_over = payout._rounded(rest)

    @api.depends("move_id.state", "move_id.reversal_move_ids.state")
    def _compute_state(self):
        for payout in self:
            entry = payout.move_id
            is_reversed = "posted" in entry.reversal_move_ids.mapped("state")
            state = STATE_OF_ENTRY.get(entry.state, "draft")
            payout.state = "cancelled" if is_reversed else state

    @api.depends("statement_line_id", "state", "move_id.line_ids.reconciled")
    def _compute_is_matched(self):
        for payout in self:
            transit = payout._transit_line()
            payout.is_matched = transit.reconciled and payout.state == "posted"

    @api.depends("journal_id", "company_id")
    def _compute_unbooked_count(self):
        for payout in self:
            payout.unbooked_count = len(payout._unbooked_payments())

    @api.depends("company_id")
    @api.depends_context("uid", "lang")
    def _compute_whom_to_ask(self):
        may_book = self.browse().has_access("write")
        for payout in self:
            payout.whom_to_ask = not may_book and payout._accountants_sentence()

    def _accountants_sentence(self):
        return self.env._(
            "Pay-outs are booked by accountants. Ask %s.",
            accountant_name(self.sudo().company_id[:1] or self.env.company),
        )

    def action_tell_whom_to_ask(self):
        """For a bookkeeper who looks for the button that makes a pay-out."""
        self.check_access("read")
        return notification("info", self._accountants_sentence())

    def _refuse_others(self):
        """:raises AccessError: for users who may not book pay-outs"""
        self.check_access("read")
        if not self.browse().has_access("write"):
            raise AccessError(self._accountants_sentence())
        self.check_access("write")

    @api.ondelete(at_uninstall=False)
    def _keep_booked(self):
        for payout in self:
            if payout.move_id:
                raise UserError(
                    self.env._(
                        "%s was booked, so it is cancelled, not deleted.",
                        payout.display_name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        self._refuse_names(COMPUTED, vals_list)
        return super().create(vals_list)

    def write(self, vals):
        self._refuse_names(COMPUTED, [vals])
        if "statement_line_id" in vals:
            self._refuse_matched()
        result = super().write(vals)
        if vals.keys() & self._fixed_names():
            self._refuse_unless_draft()
        return result

    @api.model
    def _refuse_names(self, names, vals_list):
        """Odoo lets everybody who may write a record write its computed fields."""
        if not self.env.su and any(names & vals.keys() for vals in vals_list):
            raise AccessError(
                self.env._("What a pay-out comes to is computed, and can't be entered.")
            )

    @api.model
    def _fixed_names(self):
        """The fields that the entry was made of."""
        return {
            *("company_id", "journal_id", "bank_journal_id", "date", "line_ids"),
            *("amount", "fee", "fee_account_id", "tax_id"),
        }

    def _refuse_unless_draft(self):
        for payout in self:
            if payout.state != "draft":
                raise UserError(
                    self.env._(
                        "%s isn't a draft: reset it to draft first.",
                        payout.display_name,
                    )
                )

    def _refuse_matched(self):
        for payout in self:
            if payout.is_matched:
                raise UserError(
                    self.env._(
                        "%s is matched with its bank statement line: reset it to draft"
                        " first.",
                        payout.display_name,
                    )
                )

    # === AMOUNTS === #

    def _rounded(self, amount):
        return self.currency_id.round(amount) if self.currency_id else amount

    def _target(self):
        """What the items have to come to."""
        return self.amount + self.fee + self.fee_tax

    def _ore(self, amount):
        """The amount in the currency's smallest unit, in which it can be compared."""
        return round(amount / self.currency_id.rounding)

    # === THE ITEMS === #

    def _owed_domain(self):
        """What Front Payment owes the company, or the company owes it."""
        return self.journal_id._frontpay_owed_domain(self.company_id)

    def _open_amount(self):
        return self.journal_id._frontpay_owed(self.company_id)

    def _open_items(self):
        """Open items up to the pay-out's day that no other draft has, oldest first."""
        others = self.search(
            [
                ("state", "=", "draft"),
                ("journal_id", "=", self.journal_id.id),
                ("id", "not in", self.ids),
            ]
        )
        own = [("currency_id", "=", self.currency_id.id), ("date", "<=", self.date)]
        taken = others.line_ids.move_line_id
        return self.env["account.move.line"].search(
            self._owed_domain() & Domain(own) & Domain("id", "not in", taken.ids),
            order="date, id",
        )

    def action_propose(self):
        """Fill in the open items that the pay-out is most likely made of."""
        self._refuse_others()
        for payout in self:
            payout._refuse_unless_draft()
            items = payout._open_items()
            amounts = [payout._ore(item.amount_residual) for item in items]
            chosen = proposed(amounts, payout._ore(payout._target()))
            payout.line_ids = [
                Command.clear(),
                *(Command.create({"move_line_id": items[each].id}) for each in chosen),
            ]

    # === PAYMENTS WITHOUT AN ENTRY === #

    def _unbooked_payments(self):
        """Odoo Enterprise books a payment only with the bank's line if its method has
        no outstanding account; the bank never shows Front Payment's one by one."""
        return self.env["account.payment"].search(
            [
                ("journal_id", "=", self.journal_id.id),
                ("company_id", "=", self.company_id.id),
                ("state", "=", "in_process"),
                ("move_id", "=", False),
            ]
        )

    def action_book_payments(self):
        """Give payments without an entry one in the journal's own account, and have
        the next ones booked there at once."""
        self._refuse_others()
        for payout in self:
            account = payout.journal_id.default_account_id
            payments = payout._unbooked_payments()
            methods = payout.journal_id.inbound_payment_method_line_ids
            methods |= payout.journal_id.outbound_payment_method_line_ids
            methods.filtered(
                lambda method: not method.payment_account_id
            ).payment_account_id = account
            payments.outstanding_account_id = account
            payments.state = "in_process"  # books them
            for payment in payments:
                lines = payment.move_id.line_ids + payment.invoice_ids.line_ids
                lines.filtered(
                    lambda line: (
                        line.account_id.account_type == "asset_receivable"
                        and not line.reconciled
                        and line.parent_state == "posted"
                    )
                ).reconcile()

    # === BOOKING === #

    def action_post(self):
        """Book the pay-out and reconcile its items, to the øre.

        :raises UserError: it doesn't fit; the sentence says what to do
        """
        self._refuse_others()
        for payout in self:
            payout._refuse_unless_draft()
            # Odoo's own reset of an entry leaves it reconciled.
            payout.move_id.line_ids.remove_move_reconcile()
            payout._lock_items()
            for refusal in payout._refusals():
                raise UserError(
                    self.env._(
                        "%(payout)s: %(refusal)s",
                        payout=payout.display_name,
                        refusal=refusal,
                    )
                )
            payout._book()
            payout._reconcile_items()
            if payout.statement_line_id:
                payout._match(payout._statement_item(payout.statement_line_id))

    def _lock_items(self):
        """Keep everybody else from the items until the transaction ends, and read them
        anew."""
        items = self.line_ids.move_line_id
        try:
            self.lock_for_update()
            items.lock_for_update()
        except LockError:
            raise LockError(
                self.env._(
                    "%s or its items are just being handled by somebody else. Try"
                    " again in a moment.",
                    self.display_name,
                )
            ) from None
        self.env.flush_all()
        items.invalidate_recordset()

    def _refusals(self):
        """Why the pay-out can't be booked, the first reason first.

        :return: yields sentences
        """
        yield from self._setting_refusals()
        if not self.line_ids:
            yield self.env._("it has no items. Choose “Propose”, or add them.")
        for line in self.line_ids:
            yield from line._item_refusals()
        if not self.currency_id.is_zero(self.difference):
            yield self.env._(
                "the items come to %(total)s, but %(amount)s on the bank, %(fee)s fee"
                " and %(tax)s tax are %(target)s. Correct the amounts, or add or remove"
                " items.",
                total=self.currency_id.format(self.total),
                amount=self.currency_id.format(self.amount),
                fee=self.currency_id.format(self.fee),
                tax=self.currency_id.format(self.fee_tax),
                target=self.currency_id.format(self._target()),
            )
        locks = self._violated_locks()
        if locks:
            yield self.env._(
                "%(day)s lies in a closed period: %(locks)s. Choose a later date, or"
                " have the period opened.",
                day=format_date(self.env, self.date),
                locks=self.company_id._format_lock_dates(locks),
            )

    def _setting_refusals(self):
        foreign = (self.journal_id | self.bank_journal_id).filtered(
            lambda journal: journal.currency_id.name not in (False, CURRENCY)
        )
        if self.currency_id.name != CURRENCY or foreign:
            yield self.env._(
                "Front Payment pays out NOK only, so company, journal and bank have to"
                " be in NOK."
            )
        for journal in self.journal_id | self.bank_journal_id:
            if not journal.active:
                yield self.env._(
                    "the journal %s is archived. Unarchive it, or choose another one.",
                    journal.display_name,
                )
        if self.journal_id == self.bank_journal_id:
            yield self.env._("the bank can't be Front Payment's own journal.")
        if not self.currency_id.is_zero(self.fee) and not self.fee_account_id:
            yield self.env._(
                "choose a fee account, here or in the Front Payment settings."
            )
        if not self.currency_id.is_zero(self.amount) and not self._transit_account():
            yield self.env._(
                "the company has no account for internal transfers. Choose one in the"
                " accounting settings."
            )

    def _violated_locks(self, day=None):
        """Odoo's lock dates that a day lies before, which moves entries' dates instead
        of refusing them."""
        return self.company_id._get_violated_lock_dates(
            day or self.date, bool(self.tax_id), self.journal_id
        )

    def _transit_account(self):
        """Between what is paid out and the bank's own statement."""
        company = self.company_id.sudo()
        return company.transfer_account_id or company.root_id.transfer_account_id

    def _book(self):
        """Make and post the entry; after a reset, the same one anew.

        :raises UserError: Odoo would book something else
        """
        values = {
            "date": self.date,
            "journal_id": self.journal_id.id,
            "ref": self.env._("Front Payment pay-out"),
            "line_ids": [Command.clear(), *map(Command.create, self._entry_lines())],
        }
        if self.move_id:
            self.move_id.write(values)
        else:
            new = {"move_type": "entry", "company_id": self.company_id.id}
            self.sudo().move_id = self.env["account.move"].create(values | new)
        self._refuse_other_entry()
        self._entry().action_post()

    def _entry(self):
        """Its entry, which is to move with it."""
        return self.move_id.with_context(frontpay_payout=OF_PAYOUT)

    def _entry_lines(self):
        """The entry's lines but for the tax, which Odoo adds."""
        for (account, is_refund), lines in self._lines_by_account().items():
            yield {
                "name": self.env._("Front Payment: refunded to customers")
                if is_refund
                else self.env._("Front Payment: collected from customers"),
                "account_id": account.id,
                "balance": -self._rounded(sum(lines.mapped("amount"))),
            }
        if not self.currency_id.is_zero(self.amount):
            yield {
                "name": self.env._("Front Payment: paid out"),
                "account_id": self._transit_account().id,
                "balance": self.amount,
            }
        if not self.currency_id.is_zero(self.fee):
            yield {
                "name": self.env._("Front Payment: fee"),
                "account_id": self.fee_account_id.id,
                "tax_ids": [Command.set(self.tax_id.ids)],
                "balance": self.fee,
            }

    def _lines_by_account(self):
        """:return: {(account, whether they are refunds): lines}"""
        grouped = defaultdict(self.line_ids.browse)
        for line in self.line_ids:
            grouped[line.move_line_id.account_id, line.amount < 0] |= line
        return grouped

    def _refuse_other_entry(self):
        """Odoo's tax may be another than ours, or may be balanced by a line of its
        own."""
        taxes = self.move_id.line_ids.filtered("tax_line_id")
        count = len(list(self._entry_lines())) + len(taxes)
        booked = self._rounded(sum(taxes.mapped("balance")))
        is_same = self.currency_id.compare_amounts(booked, self.fee_tax) == 0
        if not is_same or count != len(self.move_id.line_ids):
            raise UserError(
                self.env._(
                    "%(payout)s: Odoo would book %(tax)s of tax, not %(expected)s."
                    " Check the tax on the fee.",
                    payout=self.display_name,
                    tax=self.currency_id.format(booked),
                    expected=self.currency_id.format(self.fee_tax),
                )
            )

    def _reconcile_items(self):
        for (account, is_refund), lines in self._lines_by_account().items():
            counterpart = self.move_id.line_ids.filtered(
                lambda line, account=account, is_refund=is_refund: (
                    line.account_id == account
                    and (line.balance > 0) == is_refund
                    and not line.reconciled
                )
            )
            (lines.move_line_id + counterpart).reconcile()

    # === THE BANK'S STATEMENT === #

    def action_match(self):
        """Reconcile the pay-out with its line of the bank statement.

        :raises UserError: there is none, or more than one
        """
        self._refuse_others()
        for payout in self:
            if payout.state != "posted":
                raise UserError(
                    self.env._("Post %s before it is matched.", payout.display_name)
                )
            payout._match(payout._only_statement_item())

    def _only_statement_item(self):
        chosen = self.statement_line_id
        found = self._statement_item(chosen) if chosen else self._statement_items()
        if len(found) != 1:
            raise UserError(
                self.env._(
                    "%(payout)s: %(count)s open lines of %(amount)s on the statements"
                    " of %(bank)s around %(day)s. Choose the bank statement line.",
                    payout=self.display_name,
                    count=len(found),
                    amount=self.currency_id.format(self.amount),
                    bank=self.bank_journal_id.display_name,
                    day=format_date(self.env, self.date),
                )
            )
        return found

    def _statement_items(self, *domain):
        """What the bank's statements leave open, of the pay-out's amount.

        Somebody may have put it on the account for transfers already, with Odoo's own
        reconciliation model.
        """
        accounts = self.bank_journal_id.suspense_account_id | self._transit_account()
        return self.env["account.move.line"].search(
            Domain(
                [
                    ("company_id", "=", self.company_id.id),
                    ("statement_line_id.journal_id", "=", self.bank_journal_id.id),
                    ("account_id", "in", accounts.ids),
                    ("parent_state", "=", "posted"),
                    ("reconciled", "=", False),
                    ("balance", "=", -self.amount),
                ]
            )
            & Domain(domain or self._near_domain())
        )

    def _near_domain(self):
        return [
            ("date", ">=", self.date - BANK_DAYS),
            ("date", "<=", self.date + BANK_DAYS),
        ]

    def _statement_item(self, statement_line):
        return self._statement_items(("statement_line_id", "=", statement_line.id))

    def _transit_line(self):
        account = self._transit_account()
        return self.move_id.line_ids.filtered(lambda line: line.account_id == account)

    @api.model
    def _of_statement_line(self, statement_line):
        """The pay-out that a line of the bank statement belongs to, if it is clear."""
        own = self.search(
            [
                ("statement_line_id", "=", statement_line.id),
                ("state", "!=", "cancelled"),
            ]
        )
        return own or self._unmatched_like(statement_line)

    def _unmatched_like(self, statement_line):
        found = self.search(
            [
                ("company_id", "=", statement_line.company_id.id),
                ("bank_journal_id", "=", statement_line.journal_id.id),
                ("amount", "=", statement_line.amount),
                ("date", ">=", statement_line.date - BANK_DAYS),
                ("date", "<=", statement_line.date + BANK_DAYS),
                ("state", "=", "posted"),
                ("statement_line_id", "=", False),
            ]
        )
        return found if len(found) == 1 else self.browse()

    @api.model
    def _begin(self, statement_line):
        """A draft of what came on the bank; its items only if it is all that is oldest,
        without a fee: of others, some add up to any amount by chance.

        :raises UserError: the line is reconciled with something else
        """
        values = {
            "company_id": statement_line.company_id.id,
            "bank_journal_id": statement_line.journal_id.id,
            "date": statement_line.date,
            "amount": statement_line.amount,
            "statement_line_id": statement_line.id,
        }
        if not self.new(values)._statement_item(statement_line):
            raise UserError(
                self.env._(
                    "%s is reconciled already.",
                    statement_line.payment_ref or statement_line.name,
                )
            )
        payout = self.create(values)
        payout.action_propose()
        oldest = payout._open_items()[: len(payout.line_ids)]
        is_oldest = payout.line_ids.move_line_id <= oldest
        if not is_oldest or not payout.currency_id.is_zero(payout.difference):
            payout.line_ids.unlink()
        return payout

    def _match(self, item):
        """:param item: ``account.move.line`` of a statement, open; at most one"""
        if not item:
            raise UserError(
                self.env._(
                    "%s: the bank statement line has another amount, or is reconciled"
                    " already. Choose another one, or none.",
                    self.display_name,
                )
            )
        self.statement_line_id = item.statement_line_id
        transit = self._transit_line()
        if item.account_id != transit.account_id:
            item.move_id.with_context(skip_readonly_check=True).write(
                {
                    "line_ids": [
                        Command.update(item.id, {"account_id": transit.account_id.id})
                    ]
                }
            )
        (transit + item).reconcile()

    # === UNDOING === #

    def action_draft(self):
        """Take the entry back, so that the pay-out can be corrected."""
        self._refuse_others()
        for payout in self:
            payout._refuse_reversed()
            payout._unmatch()
            payout.move_id.line_ids.remove_move_reconcile()
            payout._entry().button_draft()

    def action_cancel(self):
        """Cancel the pay-out; in a closed period, by an entry of today that reverses
        it. The bank's line then stays on the account for transfers, for a new one."""
        self._refuse_others()
        for payout in self:
            payout._refuse_reversed()
            if payout._is_fixed():
                today = payout.company_id._frontpay_day()
                payout.move_id._reverse_moves([{"date": today}], cancel=True)
                continue
            payout._unmatch()
            payout.move_id.line_ids.remove_move_reconcile()
            payout._entry().button_cancel()

    def _refuse_reversed(self):
        if "posted" in self.move_id.reversal_move_ids.mapped("state"):
            raise UserError(
                self.env._(
                    "%s is cancelled by an entry that reverses it. Make a new pay-out.",
                    self.display_name,
                )
            )

    def _is_fixed(self):
        """Whether the entry can't be changed any more."""
        entry = self.move_id
        is_locked = self._violated_locks(entry.date) or entry.inalterable_hash
        return entry.state == "posted" and bool(is_locked)

    def _unmatch(self):
        """Leave the bank's line open again that it is matched with."""
        transit = self._transit_line()
        items = transit.matched_debit_ids.debit_move_id
        items |= transit.matched_credit_ids.credit_move_id
        for line in items.statement_line_id:
            line.sudo().action_undo_reconciliation()

    def action_open_entry(self):
        """Show the entry."""
        return self.move_id._get_records_action()

    def action_open_left_over(self):
        """Show what is open in the journal."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Left Over"),
            "res_model": "account.move.line",
            "view_mode": "list,form",
            "domain": list(
                self._owed_domain()
                & Domain("id", "not in", self.line_ids.move_line_id.ids)
            ),
        }


class FrontpayPayoutLine(models.Model):
    """One open item that a pay-out settles: a payment, or a refund."""

    _name = "frontpay.payout.line"
    _description = "Front Payment Pay-out Item"
    _order = "payout_id, date, id"

    payout_id = fields.Many2one(
        "frontpay.payout",
        string="Pay-out",
        required=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="payout_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="payout_id.currency_id")
    move_line_id = fields.Many2one(
        "account.move.line",
        string="Journal Item",
        required=True,
        index=True,
        ondelete="restrict",
    )
    date = fields.Date(related="move_line_id.date", store=True)
    partner_id = fields.Many2one(related="move_line_id.partner_id")
    label = fields.Char(related="move_line_id.name")
    amount = fields.Monetary(
        compute="_compute_amount",
        store=True,
        precompute=True,
        help="What was open when the item was added; refunds are negative.",
    )

    _once = models.Constraint(
        "UNIQUE (payout_id, move_line_id)", "An item can't be in a pay-out twice."
    )

    @api.depends("move_line_id")
    def _compute_amount(self):
        for line in self:
            line.amount = line.move_line_id.amount_residual

    @api.model_create_multi
    def create(self, vals_list):
        self.payout_id._refuse_names(COMPUTED_OF_ITEM, vals_list)
        lines = super().create(vals_list)
        lines.payout_id._refuse_unless_draft()
        lines.move_line_id.check_access("read")
        return lines

    def write(self, vals):
        self.payout_id._refuse_names(COMPUTED_OF_ITEM | {"payout_id"}, [vals])
        self.payout_id._refuse_unless_draft()
        result = super().write(vals)
        self.move_line_id.check_access("read")
        return result

    @api.ondelete(at_uninstall=False)
    def _keep_of_booked(self):
        self.payout_id._refuse_unless_draft()

    def _refuse_booked(self):
        """
        :raises UserError: one of them is in a pay-out that was booked
        """
        for payout in self.payout_id.filtered("move_id"):
            raise UserError(
                self.env._(
                    "%(item)s is in %(payout)s, which was booked: reset that to draft,"
                    " and remove the item there.",
                    item=self[:1].move_line_id.display_name,
                    payout=payout.display_name,
                )
            )

    def _item_refusals(self):
        """Why the item can't be settled by the pay-out.

        :return: yields sentences
        """
        item, payout = self.move_line_id, self.payout_id
        details = {"item": item.display_name, "journal": payout.journal_id.name}
        if item.company_id != payout.company_id:
            yield self.env._(
                "%(item)s belongs to another company. Remove it.", **details
            )
        elif item.currency_id != payout.currency_id:
            yield self.env._("%(item)s is in another currency. Remove it.", **details)
        elif not item.filtered_domain(payout._owed_domain()):
            yield self.env._(
                "%(item)s isn't open in the journal %(journal)s, or no longer. Choose"
                " “Propose” again, or remove it.",
                **details,
            )
        elif not payout.currency_id.is_zero(item.amount_residual - self.amount):
            yield self.env._(
                "of %(item)s, %(open)s is open now, not %(amount)s. Choose “Propose”"
                " again, or remove it and add it anew.",
                open=payout.currency_id.format(item.amount_residual),
                amount=payout.currency_id.format(self.amount),
                **details,
            )
