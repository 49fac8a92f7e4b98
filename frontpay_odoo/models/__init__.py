from . import frontpay_exchange
from . import frontpay_order
from . import account_move
