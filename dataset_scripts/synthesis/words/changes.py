# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Synonyms for changes, by the kind of thing that changed.

The notation of an entry determines its inflection: "=built" is a participle ("was built", "got built"),
"turn/turned/turned" is a verb with its past and its participle, "is gone" and "has no water" are present tense, and
"was not there before" is past tense. `{later}` and `{earlier}` are replaced by phrases such as "later image" or "first
photo", X and Y by colours.
"""

from dataclasses import dataclass

from .nouns import Words, listed


@dataclass(frozen=True)
class ChangeWords:
    """
    The words for one change.

    Args:
        verbs (`Words`): Verbs by split.
        before_noun (`Words`): Attributes before a noun ("newly built") by split.
    """

    verbs: Words
    before_noun: Words


def _words(train: str, reworded: str, train_before: str = "", reworded_before: str = "") -> ChangeWords:
    return ChangeWords(
        {"train": listed(train), "reworded": listed(reworded)},
        {"train": listed(train_before), "reworded": listed(reworded_before)},
    )


_NEW = _words(
    "appear/appeared/appeared, turn up/turned up/turned up, pop up/popped up/popped up, =added, =newly added, "
    "show up/showed up/shown up, is new, is there now, was not there before, is not in the {earlier}, "
    "is missing from the {earlier}, is only in the {later}, is only visible in the {later}, "
    "was not there in the {earlier}, "
    "wasn't there at first, come into view/came into view/come into view, is new in the {later}, is newly there",
    "materialise/materialised/materialised, is a new addition, was absent before, was absent from the {earlier}, "
    "make an appearance/made an appearance/made an appearance, is found only in the {later}",
    "new, newly added, new, brand new",
    "additional, recently added",
)
_GONE = _words(
    "disappear/disappeared/disappeared, vanish/vanished/vanished, =removed, =taken away, is gone, is gone now, "
    "is no longer there, is missing, is missing in the {later}, is not there any more, is not there anymore, "
    "go missing/went missing/gone missing, "
    "is gone in the {later}, is not in the {later} any more, is only in the {earlier}, "
    "is only visible in the {earlier}, "
    "is no longer visible, isn't there any more, =gotten rid of, was there before but is not now",
    "is nowhere to be seen, is no more, is nowhere to be found, cannot be found in the {later}, "
    "is found only in the {earlier}, =swept away",
    "missing, vanished, removed",
    "absent, now absent",
)
APPEARANCES: dict[str, ChangeWords] = {
    "": _NEW,
    "building": _words(
        "=built, =constructed, =erected, =put up, go up/went up/gone up, spring up/sprang up/sprung up, =newly built, "
        "=freshly built, =built here, =set up",
        "=raised, rise/rose/risen, =completed",
        "newly built, newly constructed, newly erected, freshly built, new-built",
        "recently completed, recently built",
    ),
    "structure": _words(
        "=built, =constructed, =put up, =newly built, =erected, =set up, =put in place",
        "=completed, =established",
        "newly built, newly constructed",
        "recently completed, recently built",
    ),
    "pool": _words(
        "=built, =constructed, =dug, =put in, =newly built, =dug out",
        "=completed, =excavated",
        "newly built, newly dug",
        "recently completed, recently excavated",
    ),
    "road": _words(
        "=built, =constructed, =laid, =put in, =newly built, =laid out",
        "=created, =completed",
        "newly built, newly laid",
        "recently completed, recently created",
    ),
    "tree": _words(
        "=planted, =newly planted, grow/grew/grown, =planted here, grow up/grew up/grown up",
        "sprout/sprouted/sprouted, take root/took root/taken root",
        "newly planted, newly grown, freshly planted",
        "recently planted",
    ),
    "vehicle": _words(
        "arrive/arrived/arrived, drive up/drove up/driven up, pull up/pulled up/pulled up, =parked, "
        "drive in/drove in/driven in, pull in/pulled in/pulled in, roll in/rolled in/rolled in, "
        "drive into view/drove into view/driven into view, =newly parked, =parked here",
        "get here/got here/got here, enter the scene/entered the scene/entered the scene, draw up/drew up/drawn up, "
        "cruise in/cruised in/cruised in",
        "newly arrived, newly parked, just arrived",
        "recently arrived",
    ),
    "bicycle": _words(
        "arrive/arrived/arrived, ride up/rode up/ridden up, =parked, ride in/rode in/ridden in, =newly parked",
        "get here/got here/got here, enter the scene/entered the scene/entered the scene, draw up/drew up/drawn up",
        "newly arrived, newly parked",
        "recently arrived",
    ),
    "person": _words(
        "arrive/arrived/arrived, walk in/walked in/walked in, step in/stepped in/stepped in, "
        "walk into view/walked into view/walked into view, come along/came along/come along, come in/came in/come in, "
        "walk up/walked up/walked up",
        "enter the scene/entered the scene/entered the scene, get here/got here/got here, "
        "saunter in/sauntered in/sauntered in",
        "newly arrived",
        "recently arrived",
    ),
    "animal": _words(
        "arrive/arrived/arrived, walk in/walked in/walked in, come along/came along/come along",
        "enter the scene/entered the scene/entered the scene, trot in/trotted in/trotted in, "
        "get here/got here/got here",
        "newly arrived",
        "recently arrived",
    ),
    "ship": _words(
        "arrive/arrived/arrived, sail in/sailed in/sailed in, =docked, =moored",
        "get here/got here/got here, =anchored, enter the scene/entered the scene/entered the scene",
        "newly arrived, newly docked",
        "recently arrived, recently anchored",
    ),
    "plane": _words(
        "arrive/arrived/arrived, land/landed/landed, =parked",
        "get here/got here/got here, touch down/touched down/touched down, =stationed",
        "newly arrived, newly parked, newly landed",
        "recently arrived",
    ),
    "object": _words(
        "=placed there, =put there, =put down, =set down, =brought in, =placed here, =newly placed",
        "=deposited, =positioned there",
        "newly placed",
        "recently positioned",
    ),
}
DISAPPEARANCES: dict[str, ChangeWords] = {
    "": _GONE,
    "building": _words(
        "=demolished, =torn down, =knocked down, =pulled down, =bulldozed, =destroyed, come down/came down/come down, "
        "=flattened",
        "=razed, =levelled, =dismantled, =wrecked",
        "demolished, torn-down, knocked-down, bulldozed",
        "razed, dismantled, wrecked",
    ),
    "structure": _words(
        "=demolished, =torn down, =pulled down, =destroyed, =cleared away",
        "=razed, =dismantled",
        "demolished, torn-down",
        "dismantled, razed",
    ),
    "pool": _words("=destroyed, =ripped out", "=dismantled", "", "dismantled"),
    "road": _words("=torn up, =broken up, =dug up", "=obliterated", "torn-up", "obliterated"),
    "tree": _words(
        "=cut down, =felled, =chopped down, =cleared, =cut, =cleared away, =uprooted",
        "=axed, =sawn down, =logged",
        "felled, cut-down, chopped-down, uprooted",
        "axed, logged",
    ),
    "vehicle": _words(
        "leave/left/left, drive off/drove off/driven off, drive away/drove away/driven away, "
        "go away/went away/gone away, "
        "depart/departed/departed, pull out/pulled out/pulled out, move off/moved off/moved off, "
        "pull away/pulled away/pulled away, move away/moved away/moved away",
        "head off/headed off/headed off, speed off/sped off/sped off, "
        "exit the scene/exited the scene/exited the scene",
        "departed",
        "",
    ),
    "bicycle": _words(
        "leave/left/left, ride off/rode off/ridden off, ride away/rode away/ridden away, go away/went away/gone away, "
        "depart/departed/departed",
        "head off/headed off/headed off, pedal off/pedalled off/pedalled off",
        "departed",
        "",
    ),
    "person": _words(
        "leave/left/left, walk away/walked away/walked away, walk off/walked off/walked off, "
        "go away/went away/gone away, "
        "depart/departed/departed, walk out/walked out/walked out, step out/stepped out/stepped out",
        "head off/headed off/headed off, exit the scene/exited the scene/exited the scene, "
        "wander off/wandered off/wandered off",
        "departed",
        "",
    ),
    "animal": _words(
        "leave/left/left, walk away/walked away/walked away, go away/went away/gone away, run away/ran away/run away, "
        "walk off/walked off/walked off",
        "wander off/wandered off/wandered off, exit the scene/exited the scene/exited the scene",
    ),
    "ship": _words(
        "leave/left/left, sail away/sailed away/sailed away, sail off/sailed off/sailed off, "
        "depart/departed/departed, "
        "go away/went away/gone away",
        "head off/headed off/headed off, exit the scene/exited the scene/exited the scene",
        "departed",
        "",
    ),
    "plane": _words(
        "leave/left/left, take off/took off/taken off, fly away/flew away/flown away, depart/departed/departed",
        "head off/headed off/headed off, exit the scene/exited the scene/exited the scene",
        "departed",
        "",
    ),
    "object": _words(
        "=picked up, =carried away, =carried off, =cleared away, =taken, =moved away",
        "=stowed away, =hauled off",
        "",
        "",
    ),
}
# Changes of state. Keys are the first clause for the change in the generator's language.
STATES: dict[str, ChangeWords] = {
    "that changed": _words(
        "change/changed/changed, is different, is not the same any more, is different in the {later}, =altered, "
        "=changed, "
        "does not look the same in the {later}, is not what it was before, "
        "looks different, looks different now, "
        "is different now",
        "=modified, =transformed, is no longer as it was, "
        "take on a fresh look/took on a fresh look/taken on a fresh look, "
        "differ between the shots/differed between the shots/differed between the shots",
        "changed, altered",
        "modified, transformed",
    ),
    "whose roof changed from X to Y": _words(
        "whose roof went from X to Y, whose roof turned from X to Y, whose roof was X and is now Y, "
        "whose roof used to be X and is Y now, whose X roof became Y, whose roof colour changed from X to Y, "
        "whose X roof is Y now",
        "whose roof switched from X to Y, whose roof started out X and ended up Y, whose X roof gave way to a Y one",
    ),
    "whose roof turned Y": _words(
        "whose roof became Y, whose roof went Y, whose roof is now Y, whose roof is Y now, =given a Y roof, "
        "get a Y roof/got a Y roof/got a Y roof, has a Y roof now, whose roof was made Y",
        "whose roof ended up Y, whose roof took on a Y tone, receive a Y roof/received a Y roof/received a Y roof",
    ),
    "that changed from X to Y": _words(
        "go from X to Y/went from X to Y/gone from X to Y, turn from X to Y/turned from X to Y/turned from X to Y, "
        "was X and is now Y, was X before and is Y now, used to be X and is Y now, "
        "change colour from X to Y/changed colour "
        "from X to Y/changed colour from X to Y, was X at first and became Y",
        "switch from X to Y/switched from X to Y/switched from X to Y, started out X and ended up Y, shift from X to "
        "Y/shifted from X to Y/shifted from X to Y",
    ),
    "that turned Y": _words(
        "become Y/became Y/become Y, go Y/went Y/gone Y, is Y now, is now Y, is Y in the {later}, =made Y, "
        "turn Y/turned Y/turned Y",
        "end up Y/ended up Y/ended up Y, take on a Y tone/took on a Y tone/taken on a Y tone",
    ),
    "that was repainted": _words(
        "=painted over, get a new coat of paint/got a new coat of paint/got a new coat of paint, =given a new colour, "
        "=painted in another colour, =given a new coat of paint, has another colour now, =painted again, =repainted",
        "=recoloured, =redecorated, get a makeover/got a makeover/got a makeover",
        "repainted, newly painted",
        "recoloured, redecorated",
    ),
    "that was repainted Y": _words(
        "=painted Y, =painted over in Y, =repainted in Y, =given a coat of Y paint, =painted over and is Y now",
        "=recoloured in Y, =redecorated in Y",
    ),
    "that was paved": _words(
        "=paved over, =asphalted, =tarmacked, =surfaced, =covered with asphalt, is now paved, is paved now, "
        "is no longer dirt, "
        "get a hard surface/got a hard surface/got a hard surface, =paved",
        "=tarred, =metalled, receive a sealed top/received a sealed top/received a sealed top",
        "newly paved, freshly paved, newly asphalted",
        "recently tarred, recently metalled",
    ),
    "that was ploughed": _words(
        "=tilled, =turned over, =ploughed up, =dug over, is freshly ploughed, =worked with a plough, =ploughed",
        "=furrowed, =harrowed",
        "newly ploughed, freshly ploughed, newly tilled",
        "recently furrowed, recently harrowed",
    ),
    "that is no longer farmed in the later image": _words(
        "is not farmed any more, is no longer farmed, =turned into something else, is no longer used for farming, "
        "is no longer cultivated, =put to another use, =given up, is no field any more, "
        "turn into something else/turned into "
        "something else/turned into something else, =changed to another use, =converted",
        "=repurposed, =abandoned, cease to be farmed/ceased to be farmed/ceased to be farmed, serve a different "
        "purpose/served a different purpose/served a different purpose",
        "converted",
        "repurposed, abandoned",
    ),
    "that ripened": _words(
        "become ripe/became ripe/become ripe, is ripe now, turn ripe/turned ripe/turned ripe, is now ripe, "
        "get ripe/got ripe/got ripe, is ready for harvest",
        "mature/matured/matured, reach maturity/reached maturity/reached maturity, mellow/mellowed/mellowed",
        "newly ripened",
        "matured",
    ),
    "that dried up": _words(
        "dry out/dried out/dried out, run dry/ran dry/run dry, is dry now, has no water any more, "
        "has no water anymore, "
        "go dry/went dry/gone dry, "
        "lose its water/lost its water/lost its water, is without water now, is dried up, "
        "become dry/became dry/become dry",
        "evaporate/evaporated/evaporated, is parched, =desiccated",
        "dried-up, dried-out",
        "evaporated, parched",
    ),
    "whose water level fell": _words(
        "whose water level sank, whose water level went down, whose water went down, whose water level is lower now, "
        "whose water level decreased, whose water sank, whose water is lower now",
        "whose water level receded, whose water level declined, whose water receded",
    ),
    "whose water level rose": _words(
        "whose water level went up, whose water level increased, whose water went up, "
        "whose water level is higher now, "
        "whose water level came up, whose water rose, whose water is higher now",
        "whose water level climbed, whose water swelled, whose water level mounted",
    ),
    "that filled with water": _words(
        "fill up with water/filled up with water/filled up with water, has water in it now, "
        "is not dry any more, is no longer dry, has water again, was dry and now has water",
        "=flooded, =replenished",
    ),
    "that was drained": _words(
        "=emptied, is empty now, has no water in it any more, is no longer full, is without water, "
        "=drained of water, =emptied out, is now empty",
        "=pumped out, =vacated of water",
        "newly drained, emptied",
        "pumped-out",
    ),
    "that was filled": _words(
        "fill up/filled up/filled up, is full now, =filled up, is no longer empty, is not empty any more, "
        "is full of water now, "
        "is now full, =filled",
        "=topped up, =refilled",
        "newly filled, filled-up",
        "refilled",
    ),
    "that was opened": _words(
        "is open now, is now open, =opened up, is no longer closed, open/opened/opened, "
        "stand open/stood open/stood open, "
        "swing open/swung open/swung open, is not shut any more, "
        "go from closed to open/went from closed to open/gone from "
        "closed to open, is open in the {later}",
        "is ajar, =unlocked, =unfastened",
        "newly opened, opened",
        "unlocked, unfastened",
    ),
    "that was closed": _words(
        "is closed now, is now closed, =shut, is no longer open, close/closed/closed, "
        "swing shut/swung shut/swung shut, "
        "is shut now, is not open any more, go from open to closed/went from open to closed/gone from open to closed, "
        "is closed in the {later}",
        "=fastened, =sealed, =locked",
        "newly closed, shut",
        "fastened, locked",
    ),
    "that was switched on": _words(
        "=turned on, is on now, come on/came on/come on, =lit up, is lit now, go on/went on/gone on, "
        "is now on, is no longer off, is glowing now, is lit in the {later}, =switched on, is on in the {later}",
        "=illuminated, is shining, =activated",
        "newly lit",
        "illuminated, shining",
    ),
    "that was switched off": _words(
        "=turned off, is off now, go out/went out/gone out, go off/went off/gone off, is no longer lit, is now off, "
        "is not lit any more, is no longer on, =put out, is off in the {later}, =switched off",
        "=extinguished, go dark/went dark/gone dark, =deactivated",
        "switched-off",
        "extinguished",
    ),
}
LATER: Words = {
    "train": (
        "later image",
        "second image",
        "later photo",
        "second photo",
        "after image",
        "newer image",
        "newer photo",
        "second picture",
        "later picture",
    ),
    "reworded": ("later shot", "second shot", "subsequent image", "second snapshot"),
}
EARLIER: Words = {
    "train": (
        "earlier image",
        "first image",
        "earlier photo",
        "first photo",
        "before image",
        "older image",
        "older photo",
        "first picture",
        "earlier picture",
    ),
    "reworded": ("earlier shot", "first shot", "initial image", "first snapshot"),
}
PLURALS = {
    "is": "are",
    "looks": "look",
    "was": "were",
    "has": "have",
    "does": "do",
    "isn't": "aren't",
    "wasn't": "weren't",
    "its": "their",
    "it": "they",
    "roof": "roofs",
    "level": "levels",
    "addition": "additions",
}


def words_of(change_type: str, clause: str, group: str) -> tuple[ChangeWords, ...]:
    """
    Looks up the words for a change.

    Args:
        change_type (`str`): "appear", "disappear" or "state_change".
        clause (`str`): Key in `STATES`; only used for a state change.
        group (`str`): Group of the changed thing, see `Noun.group`.

    Returns:
        `tuple[ChangeWords, ...]`: Words specific to the group first, general ones last.
    """
    if change_type == "state_change":
        return (STATES[clause],)
    table = APPEARANCES if change_type == "appear" else DISAPPEARANCES
    return (table[group], table[""]) if group in table else (table[""],)
