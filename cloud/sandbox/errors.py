"""How the sandbox says no: one exception, and the shapes the provider was seen to use."""

from dataclasses import dataclass, field
from typing import Any

# These come wrapped in `detail` on the live service; the rest come flat.
WRAPPED_CODES = frozenset({"invalid_state", "busy", "no_capacity"})


@dataclass
class ApiError(Exception):
    """A definite no. `fields` maps a field of the body to what is wrong with it."""

    status: int
    code: str
    message: str
    fields: dict[str, str] = field(default_factory=dict)

    def body(self, *, mixed_shapes: bool) -> dict[str, Any]:
        """The answer's JSON. `mixed_shapes` False gives only the documented `{error, message}`."""
        flat: dict[str, Any] = {"error": self.code, "message": self.message}
        if not mixed_shapes:
            return flat
        if self.fields:
            return flat | {"errors": [{"field": name, "message": text} for name, text in self.fields.items()]}
        return {"detail": flat} if self.code in WRAPPED_CODES else flat


def invalid(field_name: str, message: str) -> ApiError:
    """400 for one field of the body or the query."""
    return ApiError(400, "validation_error", f"{field_name}: {message}", {field_name: message})


def not_found(what: str) -> ApiError:
    """404; `what` is a noun such as "Instance"."""
    return ApiError(404, "not_found", f"{what} not found")


def invalid_state(message: str) -> ApiError:
    """400: the machine is not ready for this, or in the wrong power state."""
    return ApiError(400, "invalid_state", message)


def conflict(code: str, message: str) -> ApiError:
    """409: no capacity, no address, or another task holds the machine."""
    return ApiError(409, code, message)


def unauthorized() -> ApiError:
    """401, with the documented words."""
    return ApiError(401, "unauthorized", "Invalid or missing API key")
