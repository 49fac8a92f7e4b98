from . import account_move_reversal
from . import account_move_send_wizard
from . import account_payment_register
from . import frontpay_ask_customer
from . import frontpay_cancel
from . import frontpay_resend
from . import frontpay_resolve
from . import payment_link_wizard
