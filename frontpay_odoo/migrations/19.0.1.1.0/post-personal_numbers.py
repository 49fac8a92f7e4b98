"""Personal numbers move from the customer's row into a table of their own."""

from odoo.tools import sql


def migrate(cr, version):
    if not sql.column_exists(cr, "res_partner", "frontpay_personal_number"):
        return
    cr.execute(
        """
        INSERT INTO frontpay_personal_number (partner_id, number)
        SELECT id, frontpay_personal_number FROM res_partner
         WHERE frontpay_personal_number != ''
        """
    )
    cr.execute("ALTER TABLE res_partner DROP COLUMN frontpay_personal_number")
