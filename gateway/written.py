"""Text that grows, in the memory of what it says: a list of its pieces (a StringIO is one) takes six times that."""


class Written:
    """`write` it on; `str` of it is the whole, and it is false while there is none."""

    def __init__(self) -> None:
        self._utf8 = bytearray()

    def __bool__(self) -> bool:
        return bool(self._utf8)

    def __str__(self) -> str:
        return self._utf8.decode("utf-8", "surrogatepass")

    def write(self, text: str) -> None:
        self._utf8 += text.encode("utf-8", "surrogatepass")  # an upstream may cut a pair of surrogates in two
