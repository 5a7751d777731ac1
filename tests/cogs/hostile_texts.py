"""What people could type to make a message do what they want, and how it is found."""

import re

MARK = "zyx"
"""In every sample, so that it can be looked for."""
SNOWFLAKE = "123456789012345678"


SAMPLES = [
    f"@everyone {MARK}",
    f"@here {MARK}",
    f"<@&{SNOWFLAKE}> {MARK}",
    f"<@{SNOWFLAKE}> {MARK}",
    f"<#{SNOWFLAKE}> {MARK}",
    f"</train:{SNOWFLAKE}> {MARK}",
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
    f"<:{MARK}:{SNOWFLAKE}>",
    "z\u0300\u0301\u0302\u0303\u0304" * 5 + MARK,
    f"<id:customize> {MARK}",
    f"mailto:{MARK}@evil.example",
    f"<mailto:{MARK}@evil.example>",
    f"HTTPS://evil.example/{MARK}",
    f"https:\u200b//evil.example/{MARK} https:\u2060//evil.example",
    f"- {MARK}",
    f"1. {MARK}",
    f":{MARK}:",
    f"~~{MARK}~~ *{MARK}* _{MARK}_",
    f"\\*{MARK}* \\\\*{MARK}*",
    f"&#42;{MARK}&#42; &lt;@{SNOWFLAKE}&gt;",
]


HOSTILE = re.compile(rf"{MARK}|@everyone|@here|evil\.example|{SNOWFLAKE}|1700000000|customize", re.IGNORECASE)
"""What no mention, link, emoji, time or format of a message may hold."""
