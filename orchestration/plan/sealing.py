"""Ciphers: what keeps the secrets of a journal (S33). The codec asks one wherever it meets a secret.

What is encrypted is the JSON text of the value; what is stored is that as base64: `{"$sealed": "Z0FBQUFB…"}`.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, final

from orchestration.errors import InvalidDocument, UnresolvedReference, Unserialisable
from orchestration.plan.typenames import type_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.plan.codec import Json


class Cipher(Protocol):
    """Encrypts secrets and decrypts them again; `cryptography.fernet.Fernet` is one as it is.

    It has to notice a wrong key and a changed text, and raise: an unauthenticated cipher gives another value instead.
    """

    def encrypt(self, data: bytes, /) -> bytes:
        """Return what may be stored."""
        ...

    def decrypt(self, data: bytes, /) -> bytes:
        """Return what was encrypted; raise if it was not by this key."""
        ...


@final
class _Hiding:
    """A cipher that forgets what it gets."""

    def encrypt(self, data: bytes, /) -> bytes:  # noqa: ARG002 - the protocol's
        return b""

    def decrypt(self, data: bytes, /) -> bytes:  # noqa: ARG002 - the protocol's
        raise ValueError("what was hidden cannot be read")


HIDING: Cipher = _Hiding()
"""For digests: the text of a value is the same each time, which that of a good cipher is not, and tells no secret."""


class CipherFailed(Exception):
    """A cipher did not do what it was asked for; the message is the kind of error, and tells nothing of the content."""


def seal(cipher: Cipher, data: Json) -> str:
    """Return encrypted JSON data as text.

    Raises:
        CipherFailed: if the cipher raises.
    """
    try:
        text = json.dumps(data, separators=(",", ":"), allow_nan=False)
        return base64.b64encode(cipher.encrypt(text.encode())).decode("ascii")
    except Exception as error:  # noqa: BLE001 - a foreign cipher may raise anything
        problem = type(error).__name__
    raise CipherFailed(problem)  # here: in the context of another error stands what was to be encrypted


def unseal(cipher: Cipher, text: str) -> object:
    """Return the JSON data of which `seal` made the text.

    Raises:
        CipherFailed: if the text is none of this cipher's.
    """
    try:
        return json.loads(cipher.decrypt(base64.b64decode(text, validate=True)))
    except Exception as error:  # noqa: BLE001 - a foreign cipher may raise anything
        problem = type(error).__name__
    raise CipherFailed(problem)  # here: in the context of another error stands what was decrypted


class Way:
    """The way from the root of a value to where it is written or read, and the cipher for what is secret on it."""

    def __init__(self, cipher: Cipher | None) -> None:
        """Begin at the root."""
        self.cipher = cipher
        self.trail: list[str] = []
        self.secret_at: int | None = None  # how many levels lead to a secret: what is below is told by no message

    def path(self, levels: int | None = None) -> str:
        """Return the way so far, or its first levels, as messages call it."""
        return "".join(self.trail[: self.secret_at][:levels])


class Writing(Way):
    """What the codec does to write, apart from the forms of values."""

    def sealed(self, what: str, write: Callable[[], Json]) -> Json:
        """Write a secret; in a secret there is nothing to be hidden any more. `what` is how a message calls it."""
        if self.secret_at is not None:
            return write()
        if self.cipher is None:
            mend = "Configure a cipher for the journal, or pass a reference to the secret."
            self.refuse(what, "no secret: a plain journal may not hold one (S33)", mend)
        self.secret_at = len(self.trail)
        data = write()
        self.secret_at = None
        try:
            return {"$sealed": seal(self.cipher, data)}
        except CipherFailed as error:
            mend = "Configure a cipher like cryptography.fernet.Fernet(key)."
            self.refuse(f"a cipher that raised {error}", "one that encrypts bytes", mend)

    def refuse(self, found: str, expected: str, mend: str) -> NoReturn:
        """Say that a value has no form."""
        raise Unserialisable(self.path(), found=found, expected=expected, mend=mend)


class Reading(Way):
    """What the codec does to read, apart from the forms of values."""

    def decode(self, data: object, step: str) -> object:
        """Read what is in the value; `step` leads there."""
        raise NotImplementedError

    def sealed(self, text: object) -> object:
        """Read a secret, in the place of its seal."""
        if not isinstance(text, str):
            self.refuse(type_name(type(text)), "text")
        mend = "Configure the cipher with the key that the journal was written with."
        if self.cipher is None:
            raise self.invalid("a secret", "a plain value: there is no cipher to open it", mend)
        try:
            data = unseal(self.cipher, text)
        except CipherFailed as error:
            raise self.invalid(f"a secret that does not open ({error})", "one of this cipher", mend) from None
        before = self.secret_at
        self.secret_at = len(self.trail) if before is None else before
        step = self.trail.pop()
        result = self.decode(data, step)
        self.trail.append(step)
        self.secret_at = before
        return result

    def guarded(self, build: Callable[[], Any]) -> Any:  # noqa: ANN401 - what it builds
        """Run what may raise anything, among it the user's own `__hash__`, `_missing_` and default factories."""
        try:
            return build()
        except Exception as error:  # noqa: BLE001 - see above
            problem = error
        secret = self.secret_at is not None  # its text is in the error's message
        raise self.invalid(f"data that raises {type(problem).__name__}", "what the codec writes") from (
            None if secret else problem
        )

    def invalid(self, found: str, expected: str, mend: str = "") -> InvalidDocument:
        """Return the error for a document that is not what the codec writes."""
        if self.secret_at is not None:
            found = "a secret of another form"
        mend = mend or "Restore the document from a copy, or read it with the version of the code that wrote it."
        return InvalidDocument(self.path(), found=found, expected=expected, mend=mend)

    def refuse(self, found: str, expected: str) -> NoReturn:
        """Say that the document is not what the codec writes."""
        raise self.invalid(found, expected)

    def unresolved(self, found: str, expected: str, mend: str) -> NoReturn:
        """Say that the document names what is not known."""
        raise UnresolvedReference(self.path(), found=found, expected=expected, mend=mend)
