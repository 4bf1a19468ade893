"""The one place that writes: lines that command no terminal, in signs that it can show."""

from __future__ import annotations

import os
import re
import sys
from typing import Final, TextIO

from syncsim.core.text import as_json, clean, with_ascii_signs

#: Of a file name that is no text in this encoding.
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_UNSAFE: Final = re.compile(r"[^\x20-\x7e]+")


def say(line: str, out: TextIO | None) -> None:
    """Write one line; of what is the program's in it, only what is harmless."""
    if out is not None:  # (it may have been closed by whoever started us)
        out.write(fitting(clean(_SURROGATES.sub("?", line)), out) + "\n")


def say_json(value: object, out: TextIO) -> None:
    """Write the value as one line of JSON in ASCII, C1 control characters escaped, too."""
    out.write(json_line(value) + "\n")


def json_line(value: object) -> str:
    """Encode the value as JSON in printable ASCII."""
    text = as_json(value).decode()
    return text if text.isascii() and text.isprintable() else _UNSAFE.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    import json  # few programs have such a text

    return json.dumps(found[0])[1:-1]


def complain(sentence: str) -> None:
    """Write one sentence to stderr."""
    say(f"syncsim: {sentence}", sys.stderr)


def fitting(text: str, out: TextIO) -> str:
    """Return the text in signs that the stream can carry; a letter that it has stays."""
    if text.isascii():
        return text
    encoding = getattr(out, "encoding", None) or "utf-8"
    if ascii_only(encoding):
        text = with_ascii_signs(text)
    return text.encode(encoding, "replace").decode(encoding)


def ascii_only(encoding: str) -> bool:
    """Return whether only ASCII is written: by ``SYNCSIM_ASCII``, or for want of UTF-8."""
    wish = os.environ.get("SYNCSIM_ASCII", "")
    if wish:
        return wish != "0"
    return encoding.lower().replace("-", "").replace("_", "") not in ("utf8", "utf8sig")
