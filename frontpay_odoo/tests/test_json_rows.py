"""A long list is read as json.loads reads it, however it is cut into pieces."""

import json

from odoo.tests import BaseCase, tagged

from odoo.addons.frontpay_odoo.connect.json_rows import MAX_VALUE, JsonRows

ROWS = [{"uuid": "ODR1", "status": 'PÅMINNET \\ " ]}'}, 12, -1.5e3, None, [[]], "", {}]
TEXTS = (
    '{"data": []}',
    ' {\n"data"\t: [ ] } ',
    json.dumps({"code": 200, "data": ROWS, "message": "data", "more": {"data": [1]}}),
    json.dumps({"data": ROWS}, ensure_ascii=False, indent=2),
    "{}",
    '{"data": null}',
    '{"data": {"data": [1]}, "rows": [1, 2]}',
    '{"data": "[1]"}',
)
NONE = (
    "",
    " ",
    "[]",
    "12",
    "<html>",
    '{"data": [1, 2}',
    '{"data": [1, 2',
    '{"data": [1, 2]',
    '{"data": [1 2]}',
    '{"data": [1,]}',
    '{"data": [,1]}',
    '{"data": [1]} {}',
    '{"data": [1]},',
    '{"data": [1], "data": [2]}',
    '{"data" [1]}',
    "{12: [1]}",
    '{"data": [' + "[" * 50_000,
    '{"data": ["' + "A" * 2 * MAX_VALUE + '"]}',
)


def read(text, size):
    """A text's rows and what else is in it, read in pieces of so many characters."""
    body = JsonRows(text[start : start + size] for start in range(0, len(text), size))
    return list(body.rows("data")), body


@tagged("post_install", "-at_install", "frontpay")
class TestJsonRows(BaseCase):
    def test_a_list_is_read_in_pieces_of_any_size(self):
        for text in TEXTS:
            whole = json.loads(text)
            data = whole.get("data")
            is_list = isinstance(data, list)
            for size in (1, 2, 3, 7, 10_000):
                with self.subTest(text, size=size):
                    rows, body = read(text, size)
                    self.assertEqual(rows, data if is_list else [])
                    self.assertEqual(body.count, len(data) if is_list else None)
                    kept = whole | {"data": None} if is_list else whole
                    self.assertEqual(body.envelope, kept)

    def test_what_is_no_such_object_is_refused(self):
        for text in NONE:
            for size in (1, 10_000) if len(text) < 100 else (10_000,):
                with self.subTest(text[:50], size=size):
                    self.assertRaises(ValueError, read, text, size)
