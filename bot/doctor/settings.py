"""Settings as they were given: misspelled variables, the master key, the policy, typefaces."""

import stat
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource
from rapidfuzz import fuzz, process

from bot.app import timings_of
from bot.config import Settings
from bot.doctor.findings import Finding, fail, ok, warn
from bot.errors import StartupError
from bot.lettering import missing_scripts
from bot.policy import policy_text
from bot.storage.sealing import KEY_FILE, Sealer, find_master_keys

PREFIX = "DARKROOM_"
MEANT = 85
"""Likeness in percent from which a variable of another name is taken for a misspelled one."""
NEAREST = 50
"""From which the nearest name is told."""


def variables() -> Sequence[Finding]:
    """A line for each variable that nothing reads although it was meant for Darkroom; one when there is none."""
    known = [name.upper() for name in Settings.model_fields]
    given = {name.upper() for source in (EnvSettingsSource, DotEnvSettingsSource) for name in source(Settings).env_vars}
    found = []
    for name in sorted(given.difference(known)):
        nearest, likeness, _ = process.extractOne(name, known, scorer=fuzz.ratio)
        if name.startswith(PREFIX):
            nearest, likeness, _ = process.extractOne(name, known, scorer=fuzz.ratio, processor=_own_part)
        if name.startswith(PREFIX) or likeness >= MEANT:
            meant = f"Did you mean {nearest}?" if likeness >= NEAREST else "The README lists all variables."
            found.append(warn("settings", f"Nothing reads {name}.", meant))
    return found or [ok("settings", "Every variable is known.")]


def _own_part(name: str) -> str:
    """The prefix, which all share, would make any two of them alike."""
    return name.removeprefix(PREFIX)


def master_key(settings: Settings, check: bytes | None) -> tuple[Sequence[Finding], Sealer | None]:
    """Whether it opens what the database holds; `check` is what that keeps to tell."""
    name, given = "master key", settings.darkroom_master_key
    try:
        keys = find_master_keys(
            given.get_secret_value() if given else None, settings.darkroom_master_key_file, settings.darkroom_data_dir
        )
    except StartupError as error:
        return [fail(name, str(error), "Put it right, or set DARKROOM_MASTER_KEY.")], None
    if keys is None:
        if check is None:
            return [ok(name, "There is none yet; the first start makes one in the data folder.")], None
        lost = f"The database was sealed with one, and {settings.darkroom_data_dir / KEY_FILE} is not there."
        return [fail(name, lost, "Put the file back, or set DARKROOM_MASTER_KEY.")], None
    sealer = Sealer(keys)
    if check is not None and not sealer.matches(check):
        wrong = "It is not the one that this database was sealed with."
        to_do = (
            "Set DARKROOM_MASTER_KEY or DARKROOM_MASTER_KEY_FILE to the earlier key, or put the old master.key back."
        )
        return [fail(name, wrong, to_do)], sealer
    file = settings.darkroom_master_key_file or settings.darkroom_data_dir / KEY_FILE
    if given is None and _is_open_to_others(file):
        return [warn(name, f"Other users of this machine can read {file}.", f"Run: chmod 600 {file}")], sealer
    return [ok(name, "It fits the database." if check else "It can be read.")], sealer


def _is_open_to_others(file: Path) -> bool:
    return sys.platform != "win32" and bool(file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def policy(settings: Settings, version: bytes | None) -> Sequence[Finding]:
    name = "policy"
    policy_text(settings.darkroom_policy_file, settings.darkroom_contact, timings_of(settings))
    in_force = f", version {version.decode()}" if version else ""
    if settings.darkroom_policy_file is not None:
        return [ok(name, f"Your own text{in_force}.")]
    if settings.darkroom_contact is None:
        return [warn(name, f"The template{in_force}, without a way to reach you.", "Set DARKROOM_CONTACT.")]
    return [ok(name, f"The template with your contact{in_force}.")]


def typefaces() -> Sequence[Finding]:
    missing = [name.removeprefix("NotoSans").partition("-")[0] for name in missing_scripts()]
    if not missing:
        return [ok("typefaces", "Names in every script can be drawn.")]
    scripts = ", ".join(missing)
    to_do = "Debian's packages fonts-noto-core and fonts-noto-cjk have them."
    return [warn("typefaces", f"Names in these scripts are drawn as @user names: {scripts}.", to_do)]
