"""Sentences that are kept, for readers of several languages.

What is wrong with an order is found by a cron, or by a person, and read by others.
"""

from functools import wraps

from odoo import models


class Sentence(str):
    """A sentence in one language, that is known in the others as well.

    :param dict languages: the same sentence, by the code of the language
    """

    def __new__(cls, text, languages):
        sentence = super().__new__(cls, text)
        sentence.languages = languages
        return sentence


def in_each_language(make):
    """Decorate what makes a sentence, and does nothing else, so that it makes a
    :class:`Sentence`.

    :param make: method or function whose first argument is a recordset, in whose
        language the sentence is
    """

    @wraps(make)
    def make_each(record, *args):
        text = make(record, *args)
        if not text:
            return text
        languages = {
            code: str(make(*(said_in(arg, code) for arg in (record, *args))))
            for code in _languages(record.env)
        }
        return Sentence(str(text), languages)

    return make_each


def joined(sentences, separator="\n"):
    """Sentences as one.

    :param sentences: texts, of which some may be a :class:`Sentence`, and some empty
    :rtype: Sentence
    """
    sentences = list(filter(None, sentences))
    codes = {code for each in sentences for code in getattr(each, "languages", ())}
    languages = {
        code: separator.join(str(said_in(each, code)) for each in sentences)
        for code in codes
    }
    return Sentence(separator.join(map(str, sentences)), languages)


def said_in(said, code):
    """Something in a language, as far as it is known in it.

    :param said: a sentence or recordset; anything else stays as it is
    :param str code: of the language
    """
    if isinstance(said, models.BaseModel):
        return said.with_context(lang=code)
    return getattr(said, "languages", {}).get(code, said)


def keep(record, name, sentence):
    """Keep a sentence in a translated field, in each language; what the field said
    before is gone in all of them.

    :param sentence: as of :func:`joined`, or any text
    """
    for code in _languages(record.env):
        record.with_context(lang=code)[name] = str(said_in(sentence, code)) or False


@in_each_language
def kept(record, name):
    """What :func:`keep` kept, or what a computed field says."""
    return record[name]


def _languages(env):
    """Odoo falls back to American English, whether it is installed or not."""
    return {"en_US", *(code for code, _name in env["res.lang"].get_installed())}
