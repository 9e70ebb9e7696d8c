"""Names of months and weekdays in the languages that files come in, and the offsets of time zones by name."""

from __future__ import annotations

import unicodedata

_MONTHS = """\
january february march april may june july august september october november december
januar februar märz april mai juni juli august september oktober november dezember
jänner feber maerz
janvier février mars avril mai juin juillet août septembre octobre novembre décembre
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre
janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro
januari februari maart april mei juni juli augustus september oktober november december
januari februari mars april maj juni juli augusti september oktober november december
januar februar marts april maj juni juli august september oktober november december
tammikuu helmikuu maaliskuu huhtikuu toukokuu kesäkuu heinäkuu elokuu syyskuu lokakuu marraskuu joulukuu
styczeń luty marzec kwiecień maj czerwiec lipiec sierpień wrzesień październik listopad grudzień
stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia
leden únor březen duben květen červen červenec srpen září říjen listopad prosinec
ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık
январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь
января февраля марта апреля мая июня июля августа сентября октября ноября декабря
"""
_SHORT = """\
jan feb mar apr may jun jul aug sep oct nov dec
jan feb mrz apr mai jun jul aug sept okt nov dez
jän - mär - - - - - - - - -
janv févr mars avr mai juin juil août sept oct nov déc
jan fév mar avr - jui jul aoû - - - -
ene feb mar abr may jun jul ago set oct nov dic
gen feb mar apr mag giu lug ago set ott nov dic
jan fev mar abr mai jun jul ago set out nov dez
- - mrt - mei - - - - - - -
sty lut mar kwi maj cze lip sie wrz paź lis gru
oca şub mar nis - haz tem ağu eyl eki kas ara
янв фев мар апр май июн июл авг сен окт ноя дек
- - - - мая - - - сент - нояб -
"""
_WEEKDAYS = """\
monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun
montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag mo di mi do fr sa so
lundi mardi mercredi jeudi vendredi samedi dimanche lun mar mer jeu ven sam dim
lunes martes miércoles jueves viernes sábado domingo lun mar mié jue vie sáb dom
lunedì martedì mercoledì giovedì venerdì sabato domenica mar mer gio ven sab
segunda terça quarta quinta sexta segunda-feira terça-feira quarta-feira quinta-feira sexta-feira seg ter qua qui sex
maandag dinsdag woensdag donderdag vrijdag zaterdag zondag ma wo vr za zo
måndag tisdag onsdag torsdag fredag lördag söndag
poniedziałek wtorek środa czwartek piątek sobota niedziela
понедельник вторник среда четверг пятница суббота воскресенье пн вт ср чт пт сб вс
"""


def fold(word: str) -> str:
    """Lower case, without accents and points: how names are compared."""
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign)).strip(". ")


def _month_table() -> dict[str, int]:
    table: dict[str, int] = {}
    for line in (_MONTHS + _SHORT).splitlines():
        names = line.split()
        for month, name in enumerate(names, 1):
            if name != "-":
                table.setdefault(fold(name), month)
    return table


MONTH_NUMBERS = _month_table()  # folded name or abbreviation → 1 … 12
WEEKDAYS = frozenset(fold(name) for name in _WEEKDAYS.split())
# name → minutes east of Greenwich
_ZONES = """\
z 0 utc 0 gmt 0 wet 0 bst 1 west 1 cet 1 mez 1 cest 2 mesz 2 eet 2 eest 3 msk 3 jst 9 aest 10 aedt 11
est -5 edt -4 cst -6 cdt -5 mst -7 mdt -6 pst -8 pdt -7
"""
ZONES = {name: 60 * int(hours) for name, hours in zip(_ZONES.split()[::2], _ZONES.split()[1::2], strict=True)}


def month_of(name: str) -> int:
    """1 … 12, or 0 where it names no month."""
    return MONTH_NUMBERS.get(fold(name), 0)


def is_weekday(text: str) -> bool:
    return fold(text) in WEEKDAYS
