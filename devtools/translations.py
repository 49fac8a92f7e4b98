"""Compares an addon's translation files with the texts that are in its code.

``python translations.py EXPORTED I18N [--fix]``: EXPORTED is the template (.pot)
that Odoo has just written from the code, I18N the addon's folder with its own
template and its translations (.po). Tells what is out of date and ends with 1;
with ``--fix`` brings the files up to date.
"""

import argparse
import re
import sys
from pathlib import Path

import polib

PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[a-z]|\{\w*\}")


def texts(catalogue):
    """All entries, without the dates in the header."""
    return [str(entry) for entry in catalogue if not entry.obsolete]


def placeholders(text):
    return sorted(PLACEHOLDER.findall(text))


def template_problems(exported, template, fix):
    """Yield what differs between the code's texts and the addon's template."""
    if template.exists() and texts(polib.pofile(str(template))) == texts(exported):
        return
    if fix:
        template.parent.mkdir(exist_ok=True)
        exported.save(str(template))
        return
    yield f"{template}: out of date; ./dev lint --fix writes it anew"


def translation_problems(exported, path, fix):
    """Yield what is wrong in one translation."""
    translation = polib.pofile(str(path))
    before = texts(translation)
    translation.merge(exported)
    if texts(translation) != before:
        if fix:
            translation.save()
        else:
            yield f"{path}: out of date; ./dev lint --fix brings in the new texts"
    for entry in translation.translated_entries():
        if placeholders(entry.msgid) != placeholders(entry.msgstr):
            yield f"{path}:{entry.linenum}: not the placeholders of {entry.msgid!r}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("exported", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fix", action="store_true")
    options = parser.parse_args()

    exported = polib.pofile(str(options.exported))
    addon = options.folder.resolve().parent.name
    problems = list(
        template_problems(exported, options.folder / f"{addon}.pot", options.fix)
    )
    for path in sorted(options.folder.glob("*.po")):
        problems += translation_problems(exported, path, options.fix)
    print(*problems, sep="\n", end="\n" if problems else "")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
