"""The words of adult pictures that are refused unless a server allows them in its age-restricted channels."""

EXPLICIT = tuple(
    """
anal
anal sex
anus
areola
ass
asshole
bare breasts
bdsm
blowjob
blowjobs
bondage sex
boner
boob
boobs
bukkake
buttplug
cameltoe
clit
clitoris
cock
cocks
coitus
creampie
cum
cumming
cumshot
cunnilingus
cunt
deepthroat
dick pic
dildo
dildos
doggystyle
ejaculate
ejaculating
ejaculation
erect penis
erotic
erotica
explicit sex
exposed breasts
fellatio
femdom
fisting
fuck
fucked
fucking
fucks
full frontal
futa
futanari
gangbang
genital
genitalia
genitals
handjob
hentai
jerk off
labia
lewd
masturbate
masturbates
masturbating
masturbation
milf
naked
nipple
nipples
no clothes
nsfw
nude
nudes
nudist
nudity
orgasm
orgasms
orgy
penis
penises
pornographic
pornography
porn
porno
pubic hair
rimjob
rule 34
scrotum
semen
sex
sex toy
sexual
sexually
sodomy
striptease
testicles
threesome
tit
tits
titties
topless
unclothed
underboob
undressed
undressing
upskirt
vagina
vaginal
vulva
whore
without clothes
without clothing
xxx
""".strip().splitlines()
)
