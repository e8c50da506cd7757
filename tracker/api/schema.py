"""What the generated OpenAPI description says beyond what the code shows: every refusal."""

from typing import Any

PROBLEM = {
    "type": "object",
    "description": "A refusal (RFC 9457), with one sentence that says what to change.",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable, for machines."},
        "detail": {"type": "string", "description": "One sentence, for people."},
        "field": {"type": "string"},
        "errors": {"description": "Sentences by field."},
        "rows": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "row": {"type": "integer", "description": "The first is 1."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                    "field": {"type": "string"},
                },
            },
        },
    },
}
REFUSALS = {
    "400": "Something sent is malformed.",
    "401": "No key, or one that is unknown, expired or revoked.",
    "403": "The key lacks the scope that this takes.",
    "404": "There is nothing here that this key may see.",
    "406": "The answer is JSON: accept it.",
    "409": "A rule does not allow it.",
    "413": "Too large.",
    "415": "The body is of another type than this takes.",
    "503": "The database is busy or away: try again in a few seconds.",
}
ALWAYS = ("400", "401", "403", "406", "503")


def document_refusals(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Every operation names the refusals it can answer with."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            for status in statuses_of(path, method, operation):
                operation["responses"].setdefault(status, refusal(status))
            for parameter in queries_of(operation):
                if parameter["schema"].get("type") == "string":
                    parameter["schema"]["minLength"] = 1
    return result


def queries_of(operation: dict[str, Any]) -> list[dict[str, Any]]:
    return [parameter for parameter in operation.get("parameters", ()) if parameter["in"] == "query"]


def statuses_of(path: str, method: str, operation: dict[str, Any]) -> list[str]:
    statuses = list(ALWAYS)
    has_pages = any(parameter["name"] == "cursor" for parameter in queries_of(operation))
    if "{" in path or has_pages:
        statuses.append("404")
    if method == "post":
        statuses += ["409", "413", "415"]
    return sorted(statuses)


def refusal(status: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": REFUSALS[status], "content": content}
