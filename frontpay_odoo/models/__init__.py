from . import frontpay_exchange
from . import frontpay_order
from . import frontpay_order_sending
from . import frontpay_order_report
from . import res_company
from . import res_config_settings
from . import res_partner
from . import account_move
