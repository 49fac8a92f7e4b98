"""Orders know when they ended and when they are asked for: those that are there too."""


def migrate(cr, version):
    cr.execute(
        """
        UPDATE frontpay_order SET closed_at = write_date
         WHERE closed_at IS NULL
           AND state IN ('failed', 'cancelled', 'expired', 'paid',
                         'partially_refunded', 'refunded')
        """
    )
    cr.execute(
        """
        UPDATE frontpay_order SET ask_at = now() AT TIME ZONE 'UTC'
         WHERE ask_at IS NULL AND order_uuid IS NOT NULL
           AND state IN ('sent', 'invoiced', 'reminded', 'collection')
        """
    )
