from . import controllers
from . import demo
from . import logs
from . import models
from . import wizards
