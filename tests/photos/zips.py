"""ZIP files of photos, and hostile ones."""

import io
import struct
import zipfile
from collections.abc import Mapping
from typing import Any

LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"


def zip_of(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def zip_with(content: bytes, name: str = "photo.jpg", **attributes: Any) -> bytes:
    """One file whose header says what is given."""
    out = io.BytesIO()
    info = zipfile.ZipInfo(name)
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(info, content)
    return out.getvalue()


def locked(packed: bytes) -> bytes:
    """The same, said to have a password."""
    marked = bytearray(packed)
    for magic, at in ((LOCAL, 6), (CENTRAL, 8)):
        start = marked.find(magic)
        while start >= 0:
            marked[start + at] |= 1
            start = marked.find(magic, start + 4)
    return bytes(marked)


def with_name(packed: bytes, name: bytes, given: bytes) -> bytes:
    """The same with other bytes for a name of the same length, as a tool with another encoding writes them."""
    assert len(name) == len(given)
    return packed.replace(name, given)


def with_many_names(count: int) -> bytes:
    """A list of so many empty files, all of which lie at the same place: a small ZIP with a large list."""
    local = LOCAL + struct.pack("<5H3L2H", 20, 0, 0, 0, 0, 0, 0, 0, 1, 0) + b"a"
    entry = CENTRAL + struct.pack("<6H3L5H2L", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    end = END + struct.pack("<4H2LH", 0, 0, count & 0xFFFF, count & 0xFFFF, count * len(entry), len(local), 0)
    return local + entry * count + end
