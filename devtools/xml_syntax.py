"""``python xml_syntax.py FOLDER...``: names every XML file that can't be read."""

import sys
from pathlib import Path

from lxml import etree


def main():
    broken = False
    for folder in sys.argv[1:]:
        for path in sorted(Path(folder).rglob("*.xml")):
            try:
                etree.parse(str(path))
            except etree.XMLSyntaxError as error:
                print(f"{path}:{error.lineno}: {error.msg}")
                broken = True
    return broken


if __name__ == "__main__":
    sys.exit(main())
