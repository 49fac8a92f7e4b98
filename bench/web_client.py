"""What Odoo's web client reads for a view, as ``getFieldsSpec`` has it in its
``relational_model/utils.js``."""

from lxml import etree

LINES = 40  # rows of a list within a form that are read at once


def specifications(views):
    """For ``web_read`` and its like.

    :param views: what ``get_views`` has returned
    :return: {kind of view: specification of the fields to read}
    """
    return {
        kind: _read_for(etree.fromstring(view["arch"]), view["model"], views["models"])
        for kind, view in views["views"].items()
    }


def _read_for(view, model, models):
    read = {}
    for node in _fields_of(view):
        name = node.get("name")
        field = models[model]["fields"][name]
        if name not in read or len(node):
            read[name] = _read_of(node, field, models)
    return read


def _fields_of(view):
    """Those of the view itself, not of a list within it."""
    for node in view:
        if node.tag == "field":
            yield node
        else:
            yield from _fields_of(node)


def _read_of(node, field, models):
    if not field.get("relation") and field["type"] != "reference":
        return {}
    is_many = field["type"] in ("one2many", "many2many")
    if node.get("invisible") in ("1", "True"):
        return {} if is_many else {"fields": {}}
    within = next(iter(node), None)
    if is_many and within is not None:
        fields = _read_for(within, field["relation"], models)
        return {"fields": fields, "limit": LINES}
    return {"fields": {"display_name": {}}}
