"""Hooks for Schemathesis, an independent fuzzer that tests the API against its OpenAPI document (RELIABILITY.md has the command).

Every check of Schemathesis runs on every operation. OpenAPI cannot express some rules of the API. When a response shows that
one of these rules applied, the failure is expected and is dropped. EXPECTED lists the rules.
"""

import json

import schemathesis
from schemathesis.core.failures import AcceptedNegativeData, ServerError
from schemathesis.openapi.checks import RejectedPositiveData, UndefinedContentType, UseAfterFree


@schemathesis.serializer("application/x-ndjson")
def lines(ctx, value):
    """Serializes a list as NDJSON, one line for each item; any other value is a single line."""
    items = value if isinstance(value, list) else [value]
    return "\n".join(json.dumps(item) for item in items).encode()


def only_errors_in(field):
    """Returns a predicate: the problem reports errors in this field of the request, and in no other."""
    return lambda body: body.get("errors", []) != [] and all(
        error["path"].split(".")[0] == field for error in body["errors"]
    )


def every_error_says(*texts):
    """Returns a predicate: the problem reports errors, and each of them contains one of these texts."""
    return lambda body: body.get("errors", []) != [] and all(
        any(text in error["message"] for text in texts) for error in body["errors"]
    )


def any_body(body):
    """Accepts every body."""
    return True


def is_text(body):
    """Returns whether the body is no JSON."""
    return isinstance(body, str)


def body_of(response):
    """Returns the body: parsed if it is JSON, else as text."""
    try:
        return json.loads(response.content)
    except ValueError:
        return response.text


ANY_OPERATION = None

# Expected failures: operation, type of the failure, status, and a predicate on the body of the response.
EXPECTED = [
    # The API refuses a body with too many bytes or lines. Schemathesis does not count 413 as a refusal.
    (ANY_OPERATION, AcceptedNegativeData, 413, lambda body: body["code"] == "too_large"),
    # A timestamp may be at most 7 days in the past and 5 minutes in the future, which depends on the clock.
    ("PUT /v1/users/{id}/location", RejectedPositiveData, 400, only_errors_in("timestamp")),
    (
        ANY_OPERATION,
        RejectedPositiveData,
        400,
        every_error_says(
            # An id has at most 128 bytes of UTF-8, which a pattern cannot count.
            "bytes of printable Unicode in UTF-8; got",
            # The lower bound of a price must not be above the upper one.
            "must not be above `priceMax`",
            # A price has at most the digits of its currency.
            "after the decimal point, as",
            # A point may be no location of a user, as (0, 0) or whole degrees.
            "are no location of a user",
            # A user is not merged into themself.
            "must be another user than the one in the path",
        ),
    ),
    # The runtime refuses a very long URL before the API sees it.
    (ANY_OPERATION, UndefinedContentType, 414, is_text),
    (ANY_OPERATION, AcceptedNegativeData, 414, is_text),
    # A beacon, whose content type is text/plain, has no Authorization header.
    ("POST /v1/events", RejectedPositiveData, 415, any_body),
    # If no event or line is stored, the status is 422.
    ("POST /v1/events", RejectedPositiveData, 422, lambda body: body["code"] == "nothing_accepted"),
    ("POST /v1/events/bulk", RejectedPositiveData, 422, lambda body: body["code"] == "nothing_accepted"),
    ("POST /v1/products/bulk", RejectedPositiveData, 422, lambda body: body["code"] == "nothing_accepted"),
    # The endpoint is a WebSocket. A request without an upgrade gets 426.
    ("GET /v1/users/{id}/live", RejectedPositiveData, 426, any_body),
    # The API checks the content of an image, not only its content type.
    ("PUT /v1/products/{id}/images/{n}", RejectedPositiveData, 415, any_body),
    # A manifest must be JSON that matches the model file.
    ("POST /v1/models", RejectedPositiveData, 400, only_errors_in("manifest")),
    # The API stores the valid events or lines of a request and reports the invalid ones in the response.
    ("POST /v1/events", AcceptedNegativeData, 202, lambda body: body["rejected"] != []),
    ("POST /v1/events/bulk", AcceptedNegativeData, 200, lambda body: body["rejected"] > 0),
    ("POST /v1/products/bulk", AcceptedNegativeData, 200, lambda body: body["rejected"] > 0),
    # An erased user gets recommendations of near and popular products, as a new user does.
    ("GET /v1/users/{id}/recommendations", UseAfterFree, 200, any_body),
    # The export of an erased user lists the data that is left; after the erasure the list is empty.
    ("GET /v1/users/{id}/export", UseAfterFree, 200, any_body),
    # The endpoint answers 503 while an import runs.
    ("GET /readyz", ServerError, 503, lambda body: body["status"] == "not ready"),
]


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Returns whether Schemathesis reports a failure: False if the failure is expected."""
    return not any(
        operation in (ANY_OPERATION, failure.operation)
        and isinstance(failure, kind)
        and response.status_code == status
        and matches(body_of(response))
        for operation, kind, status, matches in EXPECTED
    )
