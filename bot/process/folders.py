"""Why a folder cannot be used, in one sentence with what to do: file systems refuse in many ways."""

import errno
from pathlib import Path

ELSEWHERE = "set DARKROOM_DATA_DIR to a folder on a disk of this machine"
NO_LOCKS = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL})
"""What a file system without locks answers to flock (man 2 flock; NFS and FUSE in addition)."""

_REASONS = {
    frozenset({errno.EACCES, errno.EPERM}): (
        "This user may not write to {folder}.",
        "Give it write access, or set DARKROOM_DATA_DIR to another folder.",
    ),
    frozenset({errno.EROFS}): (
        "{folder} is on a file system that is mounted read-only.",
        "Mount it for writing, or set DARKROOM_DATA_DIR to another folder.",
    ),
    frozenset({errno.ENOSPC, errno.EDQUOT}): (
        "There is no room left on the disk of {folder}.",
        "Make room, or set DARKROOM_DATA_DIR to a folder on another disk.",
    ),
    frozenset({errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ELOOP}): (
        "{folder} is not a folder, or something on the way to it is none.",
        "Set DARKROOM_DATA_DIR to another folder.",
    ),
    frozenset({errno.ENAMETOOLONG}): (
        "The path {folder} is longer than its file system takes.",
        "Set DARKROOM_DATA_DIR to a shorter one.",
    ),
}


def unusable(folder: Path, error: OSError) -> str:
    """Why nothing can be kept in the folder; what no rule here knows is told in the system's words."""
    known = next((told for codes, told in _REASONS.items() if error.errno in codes), None)
    if known is None:
        said = error.strerror or type(error).__name__
        return f"{folder} cannot be used ({said}). See whether its disk is there and well, or {ELSEWHERE}."
    why, what_to_do = known
    return f"{why.format(folder=folder)} {what_to_do}"


def unlockable(folder: Path, error: OSError) -> str:
    """Why no lock can be had in the folder."""
    if error.errno not in NO_LOCKS:
        return unusable(folder, error)
    return (
        f"The file system of {folder} has no locks ({error.strerror}), and without them two Darkrooms could damage one "
        f"database. Please {ELSEWHERE}, or keep the database in PostgreSQL with DARKROOM_DATABASE_URL."
    )
