"""Text of a program on its way to somebody: nothing in it commands a terminal or breaks a line."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any, Final

_ESCAPES: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]?"  # CSI: colours, cursor movement
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # strings
    r"|\x9b[0-?]*[ -/]*[@-~]?"  # CSI in one byte
    r"|\x1b[ -/]*[0-~]?"
)
#: Control characters, invisible and bidirectional format characters, lone surrogates and
#: enclosing marks are never shown; of the marks on a letter at most one is.
_UNSHOWN: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Me", "Zl", "Zp"))
#: Our own signs in ASCII, cell by cell.
_TO_ASCII: Final = str.maketrans(
    "▸◂←→▶◀─━│┃┆┊╭╮╰╯├┤┬┴┼›‹…⋯●○◌◆◇◐▌▐▏█▞▒░·▪✓✗⊗■⇄↦×–◦»“”≈",
    "><<>><--||::+++++|+++><~~oo.*-~|:'#%=-.*vx#==>x-o>''~",
)


def clean(text: str) -> str:
    """Return the text on one line, without escape sequences, control and invisible characters.

    White space becomes blanks.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_showable(unicodedata.normalize("NFC", _ESCAPES.sub("", text))))


def _showable(text: str) -> Iterator[str]:
    marked = True
    for character in text:
        category = unicodedata.category(character)
        if character.isspace():
            yield " "
        elif category not in _UNSHOWN and not (marked and category == "Mn"):
            yield character
        marked = category == "Mn"


def with_ascii_signs(text: str) -> str:
    """Return the text with our own signs in ASCII."""
    return text.translate(_TO_ASCII)


def in_ascii(text: str, width: Callable[[str], int] = len) -> str:
    """Return the text in ASCII; a sign that is not ours becomes ``?`` for each of its cells."""
    return "".join(c if c.isascii() else "?" * width(c) for c in with_ascii_signs(text))


def as_json(value: object) -> bytes:
    """Encode the value as JSON; a lone surrogate, which UTF-8 has not, becomes ``?``."""
    import msgspec  # the command line begins without

    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_without_surrogates(msgspec.to_builtins(value, str_keys=True)))


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_surrogates(item) for item in value]
    return value
