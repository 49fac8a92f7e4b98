from . import test_contact
from . import test_demo
from . import test_identity
from . import test_mapping
from . import test_partner
from . import test_settings
