"""Letters as a reader sees them: what looks like a Latin letter becomes that letter. Pure.

Unicode's compatibility decomposition knows full width, mathematical, circled and accented letters. What it leaves is in
the table below, taken from Unicode's confusables (Unicode Technical Standard 39) for letters of Latin, Greek, Cyrillic
and Armenian, and for the squared and circled alphabets.
"""

import unicodedata

_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_PAIRS = {
    "a": "аɑαᴀɐԱΑА",
    "b": "ьвʙßβƀɓƃΒВ",
    "c": "сϲᴄƈȼɔС",
    "d": "ԁɗđᴅð",
    "e": "еєҽɛεᴇǝəɇΕЕЄ",
    "f": "ғƒꜰſϝ",
    "g": "ɡɢǥɠԍց",
    "h": "һнʜħհΗН",
    "i": "іıɪɩιΙІӏǀ",
    "j": "јᴊɉϳЈ",
    "k": "кκᴋƙҟΚК",
    "l": "ʟłƚⅼɭ",
    "m": "мᴍʍΜМ",
    "n": "пиɴŋƞηոΝ",
    "o": "оοᴏøσօӧӨөѳΟО",
    "p": "рρᴘþƿΡР",
    "q": "ԛϙգ",
    "r": "гʀɍяᴦ",
    "s": "ѕꜱʂšƽЅ",
    "t": "тτᴛŧƫΤТ",
    "u": "υսᴜʊц",
    "v": "νᴠѵʋ",
    "w": "ԝᴡωшѡɯ",
    "x": "хχ×ΧХ",
    "y": "уγʏɏүΥУҮ",
    "z": "ᴢƶʐΖ",
}
_TABLE = {ord(look): letter for letter, looks in _PAIRS.items() for look in looks}
for _first, _count in ((0x1F130, 26), (0x1F150, 26), (0x1F170, 26), (0x1F1E6, 26)):
    # Squared, negative circled, negative squared letters, and regional indicators.
    _TABLE |= {_first + number: _ALPHABET[number] for number in range(_count)}
_TABLE |= {ord("æ"): "ae", ord("Æ"): "ae", ord("œ"): "oe", ord("Œ"): "oe"}
_BLANK = {0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800}
"""Letters that show nothing: fillers of Hangul and the empty Braille pattern."""


def plain(text: str) -> str:
    """Without case, accents, width and what cannot be seen; every script stays itself."""
    parts = unicodedata.normalize("NFKD", text)
    seen = (
        letter
        for letter in parts
        if unicodedata.category(letter) not in {"Mn", "Me", "Cf"} and ord(letter) not in _BLANK
    )
    return unicodedata.normalize("NFC", "".join(seen)).casefold()


def as_latin(text: str) -> str:
    """The same, and letters that look like Latin ones become those."""
    return plain(unicodedata.normalize("NFKD", text).translate(_TABLE)).translate(_TABLE)
