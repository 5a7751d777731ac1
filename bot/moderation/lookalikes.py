"""Letters as a reader sees them: what looks like a Latin letter becomes that letter. Pure.

Unicode's compatibility decomposition knows full width, mathematical, circled and accented letters. What it leaves is in
the table below, taken from Unicode's confusables (Unicode Technical Standard 39) for letters of Latin, Greek, Cyrillic,
Armenian, Coptic, Cherokee, Lisu and Canadian syllabics, letters upside down, and the squared and circled alphabets.
"""

import re
import unicodedata

_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_PAIRS = {
    "a": "аɑαᴀɐԱΑАᎪꓮᗩⲁⱥ",
    "b": "ьвʙßβƀɓƃΒВбᏴꓐᗷⲃ",
    "c": "сϲᴄƈȼɔСҫᏟꓚᑕⲥ",
    "d": "ԁɗđᴅðдꓓᗪᎠժδ",
    "e": "еєҽɛεᴇǝəɇΕЕЄзᎬꓰᗴⲉԵɘ",
    "f": "ғƒꜰſϝꓝᖴɟ",
    "g": "ɡɢǥɠԍցᏀꓖᎶ",
    "h": "һнʜħհΗНᎻꓧᕼⲏɥ",
    "i": "іıɪɩιΙІᎥꓲⲓᴉɨ",
    "j": "јᴊɉϳЈᎫꓙᒍɾՅ",
    "k": "кκᴋƙҟΚКᏦꓗⲕʞꝁ",
    "l": "ʟłƚⅼɭᏞꓡᒪԼλ",
    "m": "мᴍʍΜМᎷꓟᗰⲙ",
    "n": "пиɴŋƞηոΝꓠᑎⲛᏁ",
    "o": "оοᴏøσօӧӨөѳΟОꓳⲟᎾ",
    "p": "рρᴘþƿΡРᏢꓑᑭⲣքꝑ",
    "q": "ԛϙգᑫǫꝗ",
    "r": "гʀɍяᴦᏒꓣᖇΓɹ",
    "s": "ѕꜱʂšƽЅᏚꓢᔕՏ",
    "t": "тτᴛŧƫΤТᎢꓔⲧʇ",
    "u": "υսᴜʊцꓴᑌՍʉμ",
    "v": "νᴠѵʋᏙꓦᐯʌΛ",
    "w": "ԝᴡωшѡɯᎳꓪᗯԜ",
    "x": "хχ×ΧХꓫ᙭ⲭϰҲҳ",
    "y": "уγʏɏүΥУҮᎩꓬⲩʎ",
    "z": "ᴢƶʐΖᏃꓜⲍ",
    "1": "ӏӀǀ∣",
}
_TABLE = {ord(look): letter for letter, looks in _PAIRS.items() for look in looks}
for _first, _count in ((0x1F130, 26), (0x1F150, 26), (0x1F170, 26), (0x1F1E6, 26)):
    # Squared, negative circled, negative squared letters, and regional indicators.
    _TABLE |= {_first + number: _ALPHABET[number] for number in range(_count)}
_TABLE |= {ord("æ"): "ae", ord("Æ"): "ae", ord("œ"): "oe", ord("Œ"): "oe"}
_BLANK = {0x0640, 0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800}
"""Letters that say nothing: the Arabic stroke that lengthens a word, fillers of Hangul, the empty Braille pattern."""
_LARGE_I = re.compile(r"(?<=[a-z])I+")


def plain(text: str) -> str:
    """Without case, accents, width and what cannot be seen; every script stays itself, digits become 0 to 9."""
    parts = unicodedata.normalize("NFKD", text)
    seen = (
        letter
        for letter in parts
        if unicodedata.category(letter) not in {"Mn", "Me", "Cf"} and ord(letter) not in _BLANK
    )
    digits = (str(unicodedata.decimal(letter, letter)) for letter in seen)
    return unicodedata.normalize("NFC", "".join(digits)).casefold()


def as_latin(text: str) -> str:
    """The same, and letters that look like Latin ones become those; what may be i or l becomes 1."""
    parts = _LARGE_I.sub(lambda found: "1" * len(found[0]), unicodedata.normalize("NFKD", text))
    return plain(parts.translate(_TABLE)).translate(_TABLE)
