"""The OpenAPI 3.1 document of the HTTP interface, made of the table of endpoints of which the routes are made, too."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from hub.contracts.json_schema import TEXT, Schema
from hub.operate.api.site import Endpoint
from hub.operate.api.statuses import CODES
from hub.operate.specs.about import info, refusal
from hub.operate.specs.described import JSON, NOTHING, Described

__all__ = ["document"]

_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")
_ERROR = refusal(sorted(set(CODES.values())), "What kind of no it is; the status follows from it.")
_REFUSALS = {
    400: "It cannot be read, or not be done",
    401: "A token is needed",
    403: "The role does not reach, or a page of another site asks",
    404: "There is no such thing",
    409: "It does not fit what is there now",
    410: "It was allowed once, and is no more",
    408: "Its body came too slowly",
    413: "It is too large",
    429: "Too many wrong tokens came from this address",
    503: "Not now: the hub is stopping, cannot write its disk, or is busy",
}
_TAGS = {
    "/api/hub": ("hub", "The desk, what the hub watches, and how it stands"),
    "/api/v2": ("alertmanager", "Alertmanager's API, for the tools that speak it"),
    "/events": ("events", "Events, as if they came by MQTT"),
}
_ELSE = ("web", "The live feed, health, logins")


def document(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """Return the document of these endpoints."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        path = _PARAMETER.sub(r"{\1}", endpoint.path)
        paths.setdefault(path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": info(
            "Events in, the alert desk, and what the hub watches; `hub schema --asyncapi` has MQTT.",
            identifier="Apache-2.0",
        ),
        "servers": [{"url": "/", "description": "The hub that this document was asked of (`http.url` of hub.yaml)."}],
        "tags": [{"name": name, "description": text} for name, text in (*_TAGS.values(), _ELSE)],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "One of `http.tokens`."},
                "password": {"type": "http", "scheme": "basic", "description": "The token as password of any user."},
                "login": {"type": "apiKey", "in": "cookie", "name": "hub_session", "description": "From `/login`."},
            },
            "schemas": {"Error": _ERROR},
        },
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    described = endpoint.described
    operation: dict[str, Any] = {
        "operationId": _identity(endpoint),
        "tags": [_tag(endpoint.path)],
        "summary": endpoint.summary,
        "parameters": [*_of_path(endpoint.path), *_given("query", described.query)],
        "responses": _responses(endpoint),
    }
    operation["parameters"] += _given("header", described.headers)
    if described.bodies:
        content = {media: {"schema": schema} for media, schema in described.bodies.items()}
        operation["requestBody"] = {"required": not described.bodiless, "content": content}
    operation["security"] = [{"token": []}, {"password": []}, {"login": []}] if endpoint.role else []
    operation["description"] = f"Needs the role {endpoint.role}." if endpoint.role else "Needs no token."
    return operation


def _identity(endpoint: Endpoint) -> str:
    words = re.findall(r"\w+", _PARAMETER.sub(r"\1", endpoint.path))
    return "_".join([endpoint.method.lower(), *words])


def _tag(path: str) -> str:
    return next((name for prefix, (name, _) in _TAGS.items() if path.startswith(prefix)), _ELSE[0])


def _of_path(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {**TEXT, "minLength": 1}}
        for name in _PARAMETER.findall(path)
    ]


def _given(where: str, parameters: Mapping[str, Schema]) -> list[dict[str, Any]]:
    """Return parameters of the query or of headers; description and `required` stand beside the schema in OpenAPI."""
    given = []
    for name, schema in parameters.items():
        about = {key: schema[key] for key in ("description", "required") if key in schema}
        rest = {key: value for key, value in schema.items() if key not in about}
        given.append({"name": name, "in": where, **about, "schema": rest})
    return given


def _responses(endpoint: Endpoint) -> dict[str, Any]:
    """Return what the endpoint answers, by status; access is refused in the usual words even by /api/v2."""
    described = endpoint.described
    responses = {str(described.status): _success(described)}
    for status in sorted({*_usual(endpoint), *described.refusals}):
        everywhere = described.error is None or status in (401, 403, 429)
        schema = {"$ref": "#/components/schemas/Error"} if everywhere else described.error
        content = {} if schema == NOTHING else {"content": {JSON: {"schema": schema}}}
        responses[str(status)] = {"description": _REFUSALS[status], **content}
    if not any(status.startswith("4") for status in responses):  # the server itself may refuse any request
        responses["4XX"] = {"description": "It is no request as HTTP has it, or its head is too large"}
    return responses


def _success(described: Described) -> dict[str, Any]:
    if described.answer == NOTHING:
        return {"description": "Done"}
    return {"description": "Done", "content": {described.media: {"schema": described.answer}}}


def _usual(endpoint: Endpoint) -> list[int]:
    """Return the statuses of a no that follow from what the endpoint takes, and from the role that it needs."""
    guarded = [401, 403, 429] if endpoint.role else []
    asked = [400] if endpoint.described.query or endpoint.described.bodies or endpoint.described.headers else []
    return [*guarded, *asked, *([408, 413, 503] if endpoint.described.bodies else [])]
