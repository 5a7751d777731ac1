"""Numbers and words for the young as English, German, French and Spanish write them. Pure.

All in small letters without accents; what is written apart is joined, without the words for “and”.
"""

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _numbered(text: str, start: int = 0) -> dict[str, int]:
    """These words count up from `start`; a stroke stands between spellings of one number."""
    return {word: number for number, words in enumerate(text.split(), start) for word in words.split("|")}


def _in_tens(text: str, start: int = 20) -> dict[str, int]:
    return {word: start + 10 * index for word, index in _numbered(text).items()}


def _english() -> dict[str, int]:
    """Every number up to 120 as one word, decades, and what is often written instead."""
    units = _numbered("zero one two three four five six seven eight nine ten eleven twelve|twelfe thirteen fourteen")
    units |= _numbered("fifteen|fiveteen sixteen seventeen eighteen|eightteen nineteen|ninteen", 15)
    words = units | {word.replace("teen", "teenth"): number for word, number in units.items() if number > 12}
    words |= _numbered("third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth", 3)
    for word, tens in _in_tens("twenty thirty forty|fourty fifty sixty seventy eighty ninety").items():
        words |= {word: tens, f"{word.removesuffix('y')}ies": tens, f"{word}something": tens, f"{word}ish": tens}
        words |= {word + unit: tens + number for unit, number in units.items() if 0 < number < 10}
    low = {word: number for word, number in words.items() if number <= 20}
    words |= {"hundred": 100, "ahundred": 100, "onehundred": 100}
    words |= {f"{start}hundred{word}": 100 + number for word, number in low.items() for start in ("", "a", "one")}
    return words | {"dozen": 12, "decade": 10}


def _german() -> dict[str, int]:
    units = _numbered("zwei|zwo drei vier funf|fuenf sechs sieben acht neun", 2)
    words = units | _numbered("null eins") | _numbered("zehn elf zwolf|zwoelf", 10)
    words |= _numbered("dreizehn vierzehn funfzehn|fuenfzehn sechzehn siebzehn|siebenzehn achtzehn neunzehn", 13)
    for word, tens in _in_tens(
        "zwanzig dreissig|dreizig vierzig funfzig|fuenfzig sechzig siebzig achtzig neunzig"
    ).items():
        words |= {f"{word}{ending}": tens for ending in ("", "er", "ern")}
        ones = units | {"ein": 1}
        words |= {f"{unit}{joint}{word}": tens + number for unit, number in ones.items() for joint in ("und", "")}
    return words | {"hundert": 100, "einhundert": 100, "dutzend": 12}


def _french() -> dict[str, int]:
    units = _numbered("deux trois quatre cinq six sept huit neuf", 2)
    teens = _numbered("dix onze douze treize quatorze quinze seize dixsept dixhuit dixneuf", 10)
    words = units | teens | {"quatrevingt": 80, "quatrevingts": 80, "cent": 100, "douzaine": 12}
    ones = units | {"un": 1, "une": 1, "etun": 1, "etune": 1}
    tens = _in_tens("vingt trente quarante cinquante soixante septante huitante|octante nonante")
    for word, ten in tens.items():
        words |= {word: ten} | {word + unit: ten + number for unit, number in ones.items()}
    for word, ten in (("soixante", 60), ("quatrevingt", 80)):
        words |= {word + unit: ten + number for unit, number in (ones | teens | {"etonze": 11}).items()}
    return words


def _spanish() -> dict[str, int]:
    units = _numbered("uno|una|un dos tres cuatro cinco seis siete ocho nueve", 1)
    words = _numbered("dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince", 2)
    words |= {"cero": 0, "uno": 1, "docena": 12, "cien": 100, "ciento": 100, "veinte": 20}
    for unit, number in units.items():
        words |= {f"{ten}{unit}": 10 + number for ten in ("dieci", "diez", "diezy") if number > 5}
        words |= {f"{ten}{unit}": 20 + number for ten in ("veinti", "veinte", "veintey")}
    for word, tens in _in_tens("treinta cuarenta cincuenta sesenta setenta ochenta noventa", 30).items():
        words |= {word: tens} | {f"{word}{y}{unit}": tens + number for unit, number in units.items() for y in ("", "y")}
    return words


_ENGLISH: Final = _english()
NUMBERS: Final = _german() | _french() | _spanish() | _ENGLISH
"""By word."""
AND: Final = _words("and und et y")
ENDINGS: Final = (
    *("yearsold", "yearold", "years", "year", "ish", "yo", "ans", "anos", "einhalb", "eneinhalb"),
    *(f"{stem}rig{ending}" for stem in ("jah", "jaeh") for ending in ("", "e", "er", "es", "en", "em")),
)
"""What is written in one word with a number."""
CERTAIN: Final = _words(
    "teen teens teenie teenies teenager teenagers teenage teenaged tween tweens tweenager preteen preteens child "
    "children kid kids kiddo kiddie toddler toddlers infant infants newborn adolescent adolescents adolescence "
    "juvenile underage underaged schoolgirl schoolgirls schoolboy schoolboys schoolchild preschooler kindergarten "
    "kindergartner prepubescent pubescent jailbait loli lolis shota "
    "kleinkind kleinkinder schulkind saugling saeugling jugendlich jugendliche jugendlicher jugendlichen "
    "minderjahrig minderjahrige minderjahriger minderjaehrig minderjaehrige minderjaehriger "
    "mineure mineures fillette fillettes adolescente adolescentes menorde menores "
)
"""Said of the young alone, wherever it stands."""
IN_AN_AGE: Final = CERTAIN | _words(
    "minor minors baby babies babe boy boys girl girls lad lass youth youngster youngsters school preschool grader "
    "highschool highschooler schooler pupil little childhood teeny jr junior childlike tot tots bairn nursery puberty "
    "elementary neonate unborn fetus suckling lolita "
    "kind kinder madchen maedchen madel maedel junge jungen bub bube schuler schueler schulerin schuelerin "
    "enfant enfants mineur mineurs ado ados bebe bebes garcon garcons fille filles gamin gamine petite collegien "
    "collegienne lyceen lyceenne ecolier ecoliere nourrisson "
    "nino nina ninos ninas menor chico chica crio cria colegial colegiala "
    "ayear halfyear halbesjahr einjahr unan unano"
)
"""Said of the young where an age is asked for."""
MISSPELLED: Final = [
    *(word for word in (*_ENGLISH, *CERTAIN, "minor") if 5 <= len(word) <= 12),
    *(word for word, number in NUMBERS.items() if number < 18 and word not in _ENGLISH and len(word) >= 7),
]
"""Words that are known with one wrong letter, too."""
_MONTHS: Final = _words("month months mo mos mth mths monat monate monaten mois mes meses")
_WEEKS: Final = _words("week weeks wk wks woche wochen semaine semaines semana semanas")
_DAYS: Final = _words("day days tag tage tagen jour jours dia dias")
SMALLER: Final = (
    dict.fromkeys(_MONTHS, 12)
    | dict.fromkeys(_WEEKS, 52)
    | dict.fromkeys(_DAYS, 365)
    | dict.fromkeys(("hours", "hour", "minutes"), 8766)
)
"""How many of these are a year."""
COUNTED_IN: Final = frozenset({*_MONTHS, *_WEEKS, *_DAYS, "hours"} - {"mo", "mos", "mes"})
"""Who counts in these, without a number, counts no years."""
YEARS: Final = _words("y yr yrs yo yos yro year years yearold yearsold old jahr jahre jahren ans ano anos") | {
    ending for ending in ENDINGS if ending.startswith("ja")
}
BELOW: Final = _words(
    "under below less younger sub u beneath until max most till up smaller < "
    "unter bis maximal hochstens hoechstens jungerals juengerals undjunger oderjunger moins "
    "sous jusqua menos hasta menor debajo"
)
NOT_BELOW: Final = _words("not no nicht pas aumoins almenos lomenos")
NOT_YET: Final = _words(
    "almost nearly near nearing barely hardly "
    "soon turning turns turn tomorrow before not yet no non isnt approaching coming becoming going "
    "about around roughly approximately approx maybe circa ca next close pre ish ~ "
    "fast bald noch nicht knapp beinahe etwa ungefahr rund wird presque bientot environ pas encore casi pronto todavia"
)
NEGATIONS: Final = _words("not no non isnt never longer nolonger nicht kein keine pas")
ADULTS: Final = _words(
    "adult adults grownup grown legal erwachsen erwachsene erwachsener volljahrig volljaehrig adulte adulto adulta "
    "majeur majeure volwassen volwassene vuxen voksen aikuinen dorosly dorosla dospely adulti maggiorenne maior ofage "
    "mayorde"
)
OLDER: Final = _words(
    "old older elder elderly senior seniors retired retiree pensioner mature middleage middleaged ancient grandma "
    "grandmother grandpa grandfather grandparent alt alter rentner rentnerin senioren vieux vieille age retraite "
    "viejo vieja mayor anciano anciana jubilado jubilada anziano anziana idoso idosa oud bejaard"
)
"""Said of people who are long grown up."""
UNSAID: Final = _words("unknown ageless timeless na none nothing unbekannt keine inconnu desconocido")
"""No answer."""
FILLERS: Final = _words("a an any age aged is im am of the in her his and")
