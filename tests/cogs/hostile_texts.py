"""What people could type to make a message do what they want, and how it is found."""

import re

MARK = "zyx"
"""In every sample, so that it can be looked for."""


SAMPLES = [
    f"@everyone {MARK}",
    f"@here {MARK}",
    f"<@&123456789012345678> {MARK}",
    f"<@123456789012345678> {MARK}",
    f"<#123456789012345678> {MARK}",
    f"</train:123456789012345678> {MARK}",
    f"<t:1700000000:R> {MARK}",
    f"[{MARK}](https://evil.example)",
    f"https://evil.example/{MARK}",
    f"discord.gg/{MARK}",
    f"<https://evil.example/{MARK}>",
    f"# {MARK}",
    f"-# {MARK}",
    f"> {MARK}",
    f"||{MARK}||",
    f"**{MARK}** __{MARK}__",
    f"`{MARK}`",
    f"``{MARK}``",
    f"``` {MARK} ```",
    f"` @everyone {MARK} `",
    f"x` {MARK} @everyone",
    f"\\` {MARK}",
    f"\u202e{MARK} @everyone",
    f"@every\u200bone {MARK}",
    f"{MARK}\n# heading",
    f"<:{MARK}:123456789012345678>",
    "z\u0300\u0301\u0302\u0303\u0304" * 5 + MARK,
    f"<id:customize> {MARK}",
    f"mailto:{MARK}@evil.example",
]


DANGER = re.compile(rf"{MARK}|@everyone|@here|evil\.example|<@&|<#|</|<id:|<:|discord\.gg", re.IGNORECASE)
