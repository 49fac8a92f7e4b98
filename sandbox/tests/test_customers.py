"""Customers: what their orders told of them, and what updates change."""

import pytest

from .conftest import (
    COMPANY,
    CUSTOMER_UPDATES,
    EXAMPLE,
    MISSING,
    PERSONAL_NUMBER,
    changed,
)

PERSON = EXAMPLE["customerDetails"]


def call(sandbox, method, path, **kwargs):
    return sandbox.session.request(
        method,
        f"{sandbox.url}/api/v1/connect/customers/{path}",
        headers={"Authorization": f"Bearer {sandbox.token}"},
        timeout=10,
        **kwargs,
    )


def details(sandbox, uuid) -> dict:
    answer = call(sandbox, "GET", f"details/{uuid}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["message"] == "customerDetailsRetrievedSuccessfully"
    return answer.json()["data"]


def update(sandbox, uuid, changes=None, kind="private"):
    document = changed(CUSTOMER_UPDATES[kind], changes or {})
    return call(sandbox, "PUT", f"update/{kind}/{uuid}", json=document)


def customer_of(sandbox, changes=None) -> str:
    return sandbox.submit(changes).json()["data"]["customerUuid"]


@pytest.fixture
def uuid(sandbox):
    return customer_of(sandbox)


def test_a_customer_is_what_the_order_told(sandbox, uuid):
    assert details(sandbox, uuid) == {
        "uuid": uuid,
        "type": "Private",
        **{
            name: PERSON[name]
            for name in (
                *("name", "countryCode", "msisdn", "email", "preferredLanguage"),
                "personalNumber",
            )
        },
        "organizationId": None,
        "status": "Active",
        "addresses": {
            "billing": {"uuid": f"ADRS{uuid[4:]}", **PERSON["address"]},
            "shipping": None,
        },
    }


def test_a_later_order_changes_nothing(sandbox, uuid):
    before = details(sandbox, uuid)
    assert customer_of(sandbox, {"customerDetails.email": "new@example.com"}) == uuid
    assert details(sandbox, uuid) == before


def test_an_update_replaces_what_it_tells_and_keeps_the_rest(sandbox, uuid):
    answer = update(sandbox, uuid)
    assert (answer.status_code, answer.json()["message"]) == (
        200,
        "customerUpdatedSuccessfully",
    )
    after = details(sandbox, uuid)
    assert after["addresses"]["billing"]["street"] == "Prøvegata 2"
    left_out = {"personalNumber": MISSING, "addresses.shipping": MISSING}
    for changes in ({}, left_out, {"personalNumber": None}):
        assert update(sandbox, uuid, changes).status_code == 200
        assert details(sandbox, uuid) == after


def test_a_company_has_a_number_and_further_addresses(sandbox):
    uuid = customer_of(sandbox, COMPANY)
    assert details(sandbox, uuid)["type"] == "Corporate"
    changes = {
        "organizationId": "910000019",
        "additionalContact": {"1": {"name": "Berit", "email": None}},
    }
    assert update(sandbox, uuid, changes, "corporate").status_code == 200
    after = details(sandbox, uuid)
    assert after["organizationId"] == "910000019"
    assert after["addresses"]["shipping"] == PERSON["address"]


def test_a_new_number_is_the_same_customers(sandbox, uuid):
    number = "01819012346"
    assert update(sandbox, uuid, {"personalNumber": number}).status_code == 200
    assert customer_of(sandbox, {"customerDetails.personalNumber": number}) == uuid


def test_nobody_gets_another_ones_number(sandbox, uuid):
    number = "01819012346"
    other = customer_of(sandbox, {"customerDetails.personalNumber": number})
    answer = update(sandbox, other, {"personalNumber": PERSONAL_NUMBER})
    assert answer.status_code == 400
    assert answer.json()["message"] == "ambiguousRequestExistsWithSameParameters"
    assert details(sandbox, other)["personalNumber"] == number


@pytest.mark.parametrize("kind", ["private", "corporate"])
def test_what_breaks_a_rule_is_refused_all_at_once(sandbox, kind):
    uuid = customer_of(sandbox, COMPANY if kind == "corporate" else {})
    before = details(sandbox, uuid)
    number = {"private": "personalNumber", "corporate": "organizationId"}[kind]
    changes = {"email": "kari@", "addresses.billing.zip": MISSING, number: "12 34"}
    answer = update(sandbox, uuid, changes, kind)
    assert answer.status_code == 417
    assert len(answer.json()["errors"]) == 3
    assert "The addresses.billing.zip field is required." in answer.json()["errors"]
    assert details(sandbox, uuid) == before


def test_a_further_contacts_address_is_checked(sandbox):
    uuid = customer_of(sandbox, COMPANY)
    changes = {"additionalContact": [{"email": "berit@"}]}
    answer = update(sandbox, uuid, changes, "corporate")
    assert answer.json()["errors"] == [
        "The additional contact.0.email must be a valid email address."
    ]


def test_whom_nobody_knows_is_not_found(sandbox, uuid):
    assert call(sandbox, "GET", "details/CSRT0").json()["message"] == "customerNotFound"
    for answer in (
        update(sandbox, "CSRT0"),
        update(sandbox, uuid, kind="corporate"),
        call(sandbox, "PUT", f"update/nonsense/{uuid}", json={}),
    ):
        assert answer.status_code == 404


def test_no_body_at_all_lacks_every_field(sandbox, uuid):
    answer = call(sandbox, "PUT", f"update/private/{uuid}", data="{")
    assert answer.status_code == 417


def test_faults_strike_updates_before_and_after(sandbox, uuid):
    for when, street in (("before", "Prøvegata 14"), ("after", "Prøvegata 2")):
        sandbox.faults({"kind": "garbage", "when": when, "path": "customers/update"})
        assert "Bad Gateway" in update(sandbox, uuid).text
        assert details(sandbox, uuid)["addresses"]["billing"]["street"] == street


def test_control_shows_all_customers(sandbox, uuid):
    company = customer_of(sandbox, COMPANY)
    shown = sandbox.control("GET", "customers").json()
    assert [each["customerUuid"] for each in shown] == [uuid, company]
    assert shown[0]["details"]["personalNumber"] == PERSONAL_NUMBER
    sandbox.control("DELETE", "orders")
    assert sandbox.control("GET", "customers").json() == []
