"""What an independent fuzzer of the API, Schemathesis, is told beside the API's own document (RELIABILITY.md has the command).

Every check runs on every operation. What it then takes for a failure is none where the document has no words for a rule, and
the answer says that it was just this rule: each of them stands here, with its operation, its status and how it is known.
"""

import json

import schemathesis
from schemathesis.core.failures import AcceptedNegativeData, ServerError
from schemathesis.openapi.checks import RejectedPositiveData, UseAfterFree


@schemathesis.serializer("application/x-ndjson")
def lines(ctx, value):
    """A line for each item; what is no list is one line."""
    items = value if isinstance(value, list) else [value]
    return "\n".join(json.dumps(item) for item in items).encode()


def problem(path):
    """The answer names this part of the request, and no other."""
    return lambda answer: answer.get("errors", []) != [] and all(
        error["path"].split(".")[0] == path for error in answer["errors"]
    )


def always(answer):
    return True


ANY = None

EXPECTED = [
    # A body beyond its bytes or lines is refused: it just does not count this status among refusals.
    (ANY, AcceptedNegativeData, 413, lambda answer: answer["code"] == "too_large"),
    # A moment is at most 7 days late and 5 minutes early, which moves with the clock.
    ("PUT /v1/users/{id}/location", RejectedPositiveData, 400, problem("timestamp")),
    # A WebSocket: what sends no upgrade is told to.
    ("GET /v1/users/{id}/live", RejectedPositiveData, 426, always),
    # A picture is judged by its content.
    ("PUT /v1/products/{id}/images/{n}", RejectedPositiveData, 415, always),
    # A manifest is JSON that fits its file.
    ("POST /v1/models", RejectedPositiveData, 400, problem("manifest")),
    # A bad event, or a bad line, keeps out no other: the answer counts and names it.
    ("POST /v1/events", AcceptedNegativeData, 202, lambda answer: answer["rejected"] != []),
    ("POST /v1/events/bulk", AcceptedNegativeData, 200, lambda answer: answer["rejected"] > 0),
    ("POST /v1/products/bulk", AcceptedNegativeData, 200, lambda answer: answer["rejected"] > 0),
    # Somebody of whom nothing is known any more is recommended what is near and popular, as everybody else.
    ("GET /v1/users/{id}/recommendations", UseAfterFree, 200, always),
    # Of an erased person the export says what is left of them, which in the end is nothing.
    ("GET /v1/users/{id}/export", UseAfterFree, 200, always),
    # What it is for: it says 503 while an import is under way.
    ("GET /readyz", ServerError, 503, lambda answer: answer["ready"] is False),
]


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whether it is a failure."""
    return not any(
        operation in (ANY, failure.operation)
        and isinstance(failure, kind)
        and response.status_code == status
        and says(json.loads(response.content))
        for operation, kind, status, says in EXPECTED
    )
