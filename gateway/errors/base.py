"""A failure as data and as an exception: what all of them have."""

from dataclasses import dataclass
from typing import ClassVar, Literal

Stage = Literal["request", "upstream", "parser", "session", "delivery"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A failure as data, as it travels between deployments and is sent in `stream.failed`.

    `type` is one of the snake_case names below, `message` says what to do next, `retryable` whether the same request
    may succeed later. `status` is its HTTP status if the stream has not begun, `param` the field at fault. `code` is an
    API's own word for its failure; it defaults to the type.
    """

    type: str
    message: str
    stage: Stage
    retryable: bool = False
    status: int = 500
    param: str | None = None
    code: str = ""

    def __post_init__(self) -> None:
        if not self.code:
            object.__setattr__(self, "code", self.type)


class GatewayError(Exception):
    """The base of all failures; `failure()` returns it as data."""

    type: ClassVar[str] = "internal_error"
    stage: ClassVar[Stage] = "session"
    status: int = 500
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, param: str | None = None, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code

    def failure(self) -> Failure:
        return Failure(
            type=self.type,
            message=self.message,
            stage=self.stage,
            retryable=self.retryable,
            status=self.status,
            param=self.param,
            code=self.code,
        )


class Failed(GatewayError):
    """A failure that came as data from another deployment, raised again here."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message, failure.param)
        self._failure = failure

    def failure(self) -> Failure:
        return self._failure
