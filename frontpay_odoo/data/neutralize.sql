-- A copy of a production database must not reach real customers.
UPDATE res_company
   SET frontpay_environment = 'demo',
       frontpay_api_token = NULL,
       frontpay_callback_secret = NULL;
