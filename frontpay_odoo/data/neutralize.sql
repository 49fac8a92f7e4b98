-- A copy of a production database must not reach real customers, nor be reached by
-- what is reported about them.
UPDATE res_company
   SET frontpay_environment = 'demo',
       frontpay_custom_url = NULL,
       frontpay_public_url = NULL;
DELETE FROM frontpay_credential;
DELETE FROM frontpay_check;

-- What waits to be sent belongs to the original: here it stays unsent, even when
-- somebody enters a token and starts the scheduled actions.
UPDATE frontpay_order
   SET state = 'failed',
       error = jsonb_build_object('en_US', 'Not sent: this database is a copy.'),
       closed_at = now() AT TIME ZONE 'UTC'
 WHERE state = 'queued';
UPDATE frontpay_order
   SET update_queued = FALSE
 WHERE update_queued;
UPDATE frontpay_order
   SET is_link_due = FALSE
 WHERE is_link_due;
UPDATE account_move
   SET frontpay_state = 'failed'
 WHERE frontpay_state = 'queued';
