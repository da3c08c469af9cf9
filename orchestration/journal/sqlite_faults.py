"""What goes wrong with a file of SQLite, as errors of a journal: damage, or storage that fails."""

from __future__ import annotations

import sqlite3

from orchestration.errors import JournalBusy, JournalCorrupt, JournalError, JournalFailed

# What only a file can cause that is not as it was written: the statements are right, and so is what they store.
DAMAGE = frozenset(
    {
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
    }
)
RIGHTS = "Let this process write to the file and to its folder."
HELD = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
WAIT = "Another process writes to it for a long time: wait for its end, or give a longer `timeout`."
MENDS = {
    sqlite3.SQLITE_FULL: "Make room on the disk, then try again.",
    **dict.fromkeys(HELD, WAIT),
    sqlite3.SQLITE_READONLY: RIGHTS,
    sqlite3.SQLITE_PERM: RIGHTS,
    sqlite3.SQLITE_CANTOPEN: "Give a path in a folder that exists, and let this process write there.",
    sqlite3.SQLITE_IOERR: "Look after the disk: the log of the system tells more.",
    sqlite3.SQLITE_TOOBIG: "Pass smaller values: keep what is big elsewhere, and pass its place.",
}


FAULTS = (sqlite3.Error, UnicodeError)  # what SQLite and Python's way to it raise; of `told` and `is_damage`


def told(path: str, error: Exception) -> JournalError:
    """Return the error of a journal for one of `FAULTS`; who raises it gives the other as its cause."""
    if is_damage(error):
        return corrupt(path, f"damage ({error})")
    if isinstance(error, UnicodeError):
        return JournalFailed(
            ascii(path),
            found="text that is no Unicode (a lone surrogate)",
            expected="text that has a form in UTF-8",
            mend="Write such characters as JSON does, with escapes.",
        )
    code = _code(error)
    return (JournalBusy if code in HELD else JournalFailed)(
        path,
        found=f"storage that fails ({error})",
        expected="a file that can be read and written",
        mend=MENDS.get(code, "Look at the cause, then try again."),
    )


def corrupt(path: str, found: str) -> JournalCorrupt:
    """Say that a journal is not as it was written (S37)."""
    return JournalCorrupt(
        path,
        found=found,
        expected="what was stored",
        mend="Go back to a copy of the file from before the damage.",
    )


def is_damage(error: Exception) -> bool:
    """Tell whether the file is not as it was written."""
    code = _code(error)
    no_utf8 = isinstance(error, UnicodeDecodeError) or (code < 0 and isinstance(error, sqlite3.OperationalError))
    return code in DAMAGE or no_utf8  # Python has no code for text that it cannot read, in a row or in a message


def _code(error: Exception) -> int:
    """Return the primary code of an error, below 0 if it is not SQLite's."""
    code: int = getattr(error, "sqlite_errorcode", -1)
    return code & 0xFF if code >= 0 else code
