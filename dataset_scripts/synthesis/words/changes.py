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


def change_words(train: str, reworded: str, train_before: str = "", reworded_before: str = "") -> ChangeWords:
    """Builds the words for a change from comma-separated verbs and attributes before a noun, of both splits."""
    return ChangeWords(
        {"train": listed(train), "reworded": listed(reworded)},
        {"train": listed(train_before), "reworded": listed(reworded_before)},
    )


_NEW = (
    "appear/appeared/appeared, turn up/turned up/turned up, pop up/popped up/popped up, =added, =newly added, "
    "show up/showed up/shown up, is new, is there now, was not there before, is not in the {earlier}, "
    "is missing from the {earlier}, is only in the {later}, is only visible in the {later}, "
    "was not there in the {earlier}, wasn't there at first, come into view/came into view/come into view, "
    "is new in the {later}, is newly there, emerge/emerged/emerged, crop up/cropped up/cropped up, "
    "join the scene/joined the scene/joined the scene, =introduced, =newly introduced, =added later, "
    "=added afterwards, =added in the meantime, =included later, had not been there, had not been there before, "
    "had not been there at first, had not been in the {earlier}, was not around at first, was not around before, "
    "was not there yet, was not yet there, was not yet there in the {earlier}, was not visible before, "
    "was not visible in the {earlier}, was not visible at first, was not present before, "
    "was not present in the {earlier}, was not part of the {earlier}, was missing before, was missing at first, "
    "was missing in the {earlier}, was lacking before, was lacking at first, could not be seen before, "
    "could not be seen in the {earlier}, could not be seen at first, can't be seen in the {earlier}, "
    "can only be seen now, can only be seen afterwards, can be seen only in the {later}, "
    "is not to be seen in the {earlier}, is lacking in the {earlier}, is not present in the {earlier}, "
    "is unseen in the {earlier}, has no counterpart in the {earlier}, is present only afterwards, "
    "is present only in the {later}, is there only afterwards, is there only in the {later}, "
    "is visible only afterwards, is visible only in the {later}, is visible now, is now visible, is now present, "
    "is now there, is now in the scene, is new here, is new to the scene, is there now but was not before, "
    "was not there but is now, was not there earlier, was not there the first time, was not to be seen before, "
    "was not to be seen at first",
    "materialise/materialised/materialised, is a new addition, was absent before, was absent from the {earlier}, "
    "make an appearance/made an appearance/made an appearance, is found only in the {later}",
    "new, newly added, new, brand new, newly appeared, newly visible, newly introduced, newly emerged, just added, "
    "freshly added, extra, previously missing, previously unseen, just appeared",
    "additional, recently added",
)
_GONE = (
    "disappear/disappeared/disappeared, vanish/vanished/vanished, =removed, =taken away, is gone, is gone now, "
    "is no longer there, is missing, is missing in the {later}, is not there any more, is not there anymore, "
    "go missing/went missing/gone missing, is gone in the {later}, is not in the {later} any more, "
    "is only in the {earlier}, is only visible in the {earlier}, is no longer visible, isn't there any more, "
    "=gotten rid of, was there before but is not now, can no longer be seen, can no longer be seen in the {later}, "
    "can't be seen any more, can't be seen in the {later}, could only be seen before, "
    "can be seen only in the {earlier}, is not to be seen any more, is not to be seen in the {later}, "
    "is not anywhere any more, is not around any more, is no longer around, is no longer present, "
    "is no longer in the {later}, is no longer in the scene, is not present any more, is not present in the {later}, "
    "is not visible any more, is not visible in the {later}, is not there now, is not part of the {later}, "
    "is lacking now, is lacking later, is lacking in the {later}, is missing now, is missing later, "
    "is unseen in the {later}, has no counterpart in the {later}, is out of sight now, is lost now, "
    "get lost/got lost/got lost, =done away with, =made to disappear, "
    "drop out of sight/dropped out of sight/dropped out of sight, "
    "pass out of view/passed out of view/passed out of view, fade away/faded away/faded away, "
    "vanish from sight/vanished from sight/vanished from sight, "
    "vanish from view/vanished from view/vanished from view, "
    "vanish from the scene/vanished from the scene/vanished from the scene, "
    "disappear from view/disappeared from view/disappeared from view, was only there before, "
    "was only there at first, was only there in the {earlier}, was still there before, was still there at first, "
    "was still there in the {earlier}, was there but is not now, was there at first but is gone now, "
    "was there before but is gone now, was there earlier but not later, was visible only before, "
    "was visible only at first, was present only before, was present only at first, used to be there, "
    "used to be here, used to be there but is gone, is present only in the {earlier}, "
    "is visible only in the {earlier}, is there only in the {earlier}",
    "is nowhere to be seen, is no more, is nowhere to be found, cannot be found in the {later}, "
    "is found only in the {earlier}, =swept away",
    "missing, vanished, removed, disappeared, lost, now missing, now lost, no longer visible, no longer present, "
    "since removed, now removed, now vanished, former",
    "absent, now absent",
)
# For things, but not for people and animals.
_EXISTENCE = (
    "come into being/came into being/come into being, come into existence/came into existence/come into existence, "
    "did not exist before, did not exist at first, did not exist in the {earlier}, exists now, exists only now, "
    "exists only in the {later}, exists only afterwards"
)
_NO_EXISTENCE = (
    "=wiped out, =wiped away, =erased, =eliminated, =deleted, stop existing/stopped existing/stopped existing, "
    "existed only before, existed only at first, existed only in the {earlier}, exists only in the {earlier}, "
    "does not exist any more, does not exist in the {later}, no longer exists, used to exist, is history now"
)
APPEARANCES: dict[str, ChangeWords] = {
    "": change_words(f"{_NEW[0]}, {_EXISTENCE}", *_NEW[1:]),
    "living": change_words(*_NEW),
    "building": change_words(
        "=built, =constructed, =erected, =put up, go up/went up/gone up, spring up/sprang up/sprung up, "
        "=newly built, =freshly built, =built here, =set up, =finished, =newly finished, =developed, =newly erected, "
        "=newly constructed, =newly put up, =freshly constructed, =assembled, =put together, =built from scratch, "
        "=built there, =constructed there, =constructed here, =erected there, =erected here, =put up there, "
        "=put in place, =placed there, =brought into being, =built up, =built on the site, =added to the site, "
        "spring into being/sprang into being/sprung into being, "
        "spring from the ground/sprang from the ground/sprung from the ground, "
        "grow from the ground/grew from the ground/grown from the ground, stands there now, stands here now, "
        "is newly built, is newly finished, is now standing there, is standing there now, was not built before, "
        "was not built yet, was not built yet in the {earlier}, had not been built before, had not been built yet",
        "=raised, rise/rose/risen, =completed",
        "newly built, newly constructed, newly erected, freshly built, new-built, newly finished, newly put-up, "
        "newly developed, freshly constructed, freshly erected, newbuilt, just built, just finished",
        "recently completed, recently built",
    ),
    "structure": change_words(
        "=built, =constructed, =put up, =newly built, =erected, =set up, =put in place, =finished, =installed, "
        "=newly finished, =newly erected, =newly constructed, =newly installed, =assembled, =put together, "
        "=built from scratch, =built there, =built here, =constructed there, =put up there, =brought into being, "
        "=developed, =laid out, stands there now, is newly built, was not built yet, had not been built before, "
        "had not been built yet",
        "=completed, =established",
        "newly built, newly constructed, newly erected, newly installed, newly finished, freshly built, just built, "
        "just finished",
        "recently completed, recently built",
    ),
    "pool": change_words(
        "=built, =constructed, =dug, =put in, =newly built, =dug out, =finished, =installed, =newly finished, "
        "=newly dug, =newly installed, =newly constructed, =newly put in, =put in place, =built from scratch, "
        "=built there, =built here, =dug there, =dug here, =laid out, =sunk in the ground, =added to the garden, "
        "is newly built, was not built yet, had not been built before, had not been built yet",
        "=completed, =excavated",
        "newly built, newly dug, newly installed, newly constructed, newly finished, freshly built, freshly dug, "
        "just built, just dug",
        "recently completed, recently excavated",
    ),
    "road": change_words(
        "=built, =constructed, =laid, =put in, =newly built, =laid out, =finished, =made, =newly laid, "
        "=newly constructed, =newly finished, =newly put in, =put through, =put in place, =laid down, =laid there, "
        "=built there, =built here, =built from scratch, =rolled out, =carved out, =marked out, =developed, "
        "=brought into being, is newly built, is newly laid, was not built yet, had not been built before, "
        "had not been laid before",
        "=created, =completed",
        "newly built, newly laid, newly constructed, newly finished, newly made, freshly built, freshly laid, "
        "just built, just laid",
        "recently completed, recently created",
    ),
    "tree": change_words(
        "=planted, =newly planted, grow/grew/grown, =planted here, grow up/grew up/grown up, =freshly planted, "
        "=put in the ground, =put into the ground, =set in the ground, =planted there, =transplanted here, =grown, "
        "=grown here, =newly grown, grow here/grew here/grown here, grow there/grew there/grown there, "
        "grow in/grew in/grown in, grow tall/grew tall/grown tall, "
        "grow from the ground/grew from the ground/grown from the ground, come up/came up/come up, "
        "spring up/sprang up/sprung up, spring from the ground/sprang from the ground/sprung from the ground, "
        "push out of the ground/pushed out of the ground/pushed out of the ground, "
        "come out of the ground/came out of the ground/come out of the ground, spread out/spread out/spread out, "
        "grows there now, grows here now, stands there now, stands here now, is growing there now, is growing now, "
        "had not been planted before, had not been planted yet, was not planted yet, had not grown before, "
        "had not grown yet",
        "sprout/sprouted/sprouted, take root/took root/taken root",
        "newly planted, newly grown, freshly planted, freshly grown, just planted, newly sprung-up, planted",
        "recently planted",
    ),
    "vehicle": change_words(
        "arrive/arrived/arrived, drive up/drove up/driven up, pull up/pulled up/pulled up, =parked, "
        "drive in/drove in/driven in, pull in/pulled in/pulled in, roll in/rolled in/rolled in, "
        "drive into view/drove into view/driven into view, =newly parked, =parked here, come/came/come, "
        "come along/came along/come along, come in/came in/come in, come up/came up/come up, "
        "come here/came here/come here, come by/came by/come by, "
        "come into the scene/came into the scene/come into the scene, "
        "come to a stop there/came to a stop there/come to a stop there, drive here/drove here/driven here, "
        ""
        "drive into the scene/drove into the scene/driven into the scene, =driven here, =driven there, "
        "=driven into the scene, roll up/rolled up/rolled up, "
        "roll into view/rolled into view/rolled into view, pull over/pulled over/pulled over, "
        "pull into view/pulled into view/pulled into view, back in/backed in/backed in, move in/moved in/moved in, "
        "move into view/moved into view/moved into view, turn in/turned in/turned in, race in/raced in/raced in, "
        "rush in/rushed in/rushed in, edge in/edged in/edged in, stop there/stopped there/stopped there, "
        "stop here/stopped here/stopped here, stop by/stopped by/stopped by, park/parked/parked, "
        "park there/parked there/parked there, park here/parked here/parked here, =parked there, =parked up, "
        "=newly parked there, =brought here, =brought in, is parked there now, is now parked there, "
        "is standing there now, stands there now, is here now, had not arrived before, had not arrived yet, "
        "had not been parked there, was not parked there before, was not parked there yet",
        "get here/got here/got here, enter the scene/entered the scene/entered the scene, draw up/drew up/drawn up, "
        "cruise in/cruised in/cruised in",
        "newly arrived, newly parked, just arrived, just parked, freshly parked, freshly arrived, arriving, incoming",
        "recently arrived",
    ),
    "bicycle": change_words(
        "arrive/arrived/arrived, ride up/rode up/ridden up, =parked, ride in/rode in/ridden in, =newly parked, "
        "come/came/come, come along/came along/come along, come in/came in/come in, come up/came up/come up, "
        "come here/came here/come here, come by/came by/come by, "
        "come into the scene/came into the scene/come into the scene, ride here/rode here/ridden here, "
        ""
        "ride into view/rode into view/ridden into view, "
        "ride into the scene/rode into the scene/ridden into the scene, =ridden here, =ridden into the scene, "
        "roll in/rolled in/rolled in, roll up/rolled up/rolled up, roll into view/rolled into view/rolled into view, "
        "pull up/pulled up/pulled up, pull in/pulled in/pulled in, stop there/stopped there/stopped there, "
        "stop here/stopped here/stopped here, =parked here, =parked there, =brought here, =brought in, =wheeled in, "
        "=pushed in, is parked there now, is standing there now, stands there now, is here now, "
        "had not arrived before, had not arrived yet, was not parked there before, was not parked there yet",
        "get here/got here/got here, enter the scene/entered the scene/entered the scene, draw up/drew up/drawn up",
        "newly arrived, newly parked, just parked, just arrived, freshly parked, freshly arrived, arriving",
        "recently arrived",
    ),
    "person": change_words(
        "arrive/arrived/arrived, walk in/walked in/walked in, step in/stepped in/stepped in, "
        "walk into view/walked into view/walked into view, come along/came along/come along, "
        "come in/came in/come in, walk up/walked up/walked up, come/came/come, come up/came up/come up, "
        "come here/came here/come here, come over/came over/come over, come by/came by/come by, "
        "come into the scene/came into the scene/come into the scene, walk over/walked over/walked over, "
        "walk here/walked here/walked here, "
        "walk into the scene/walked into the scene/walked into the scene, step up/stepped up/stepped up, "
        "step into view/stepped into view/stepped into view, "
        "step into the scene/stepped into the scene/stepped into the scene, stroll in/strolled in/strolled in, "
        "stroll up/strolled up/strolled up, "
        "stroll into view/strolled into view/strolled into view, move in/moved in/moved in, "
        "move into view/moved into view/moved into view, run in/ran in/run in, run up/ran up/run up, "
        "rush in/rushed in/rushed in, hurry in/hurried in/hurried in, march in/marched in/marched in, "
        "stop by/stopped by/stopped by, drop in/dropped in/dropped in, drop by/dropped by/dropped by, "
        "pop in/popped in/popped in, stop there/stopped there/stopped there, stands there now, "
        "is standing there now, is here now, is now standing there, had not arrived before, had not arrived yet, "
        "had not come before, had not come yet",
        "enter the scene/entered the scene/entered the scene, get here/got here/got here, "
        "saunter in/sauntered in/sauntered in",
        "newly arrived, just arrived, freshly arrived, arriving, incoming",
        "recently arrived",
    ),
    "animal": change_words(
        "arrive/arrived/arrived, walk in/walked in/walked in, come along/came along/come along, come/came/come, "
        "come up/came up/come up, come in/came in/come in, come here/came here/come here, "
        "come over/came over/come over, come by/came by/come by, "
        "come into the scene/came into the scene/come into the scene, walk up/walked up/walked up, "
        "walk over/walked over/walked over, walk into view/walked into view/walked into view, "
        "step in/stepped in/stepped in, stroll in/strolled in/strolled in, "
        "run in/ran in/run in, run up/ran up/run up, "
        "move in/moved in/moved in, move into view/moved into view/moved into view, is standing there now, "
        "is here now, had not arrived before, had not arrived yet, had not come before",
        "enter the scene/entered the scene/entered the scene, trot in/trotted in/trotted in, "
        "get here/got here/got here",
        "newly arrived, just arrived, freshly arrived, arriving",
        "recently arrived",
    ),
    "ship": change_words(
        "arrive/arrived/arrived, sail in/sailed in/sailed in, =docked, =moored, come/came/come, "
        "come in/came in/come in, come along/came along/come along, come here/came here/come here, "
        "come into the scene/came into the scene/come into the scene, sail up/sailed up/sailed up, "
        "sail here/sailed here/sailed here, "
        "sail into view/sailed into view/sailed into view, steam in/steamed in/steamed in, "
        "pull in/pulled in/pulled in, move in/moved in/moved in, dock there/docked there/docked there, "
        "moor/moored/moored, =berthed, =tied up, =docked there, =docked here, =moored there, =moored here, "
        "=newly docked, =newly moored, is docked there now, is moored there now, is here now, "
        "had not arrived before, had not arrived yet, was not docked there before",
        "get here/got here/got here, =anchored, enter the scene/entered the scene/entered the scene",
        "newly arrived, newly docked, newly moored, newly berthed, just docked, just arrived, freshly arrived, "
        "arriving, incoming",
        "recently arrived, recently anchored",
    ),
    "plane": change_words(
        "arrive/arrived/arrived, land/landed/landed, =parked, come/came/come, come in/came in/come in, "
        "come here/came here/come here, fly in/flew in/flown in, fly here/flew here/flown here, "
        "fly into view/flew into view/flown into view, land here/landed here/landed here, "
        "land there/landed there/landed there, taxi in/taxied in/taxied in, roll in/rolled in/rolled in, "
        "roll up/rolled up/rolled up, pull in/pulled in/pulled in, move in/moved in/moved in, =parked here, "
        "=parked there, =newly parked, =flown in, =flown here, is parked there now, is standing there now, "
        "stands there now, is here now, had not arrived before, had not arrived yet, had not landed before, "
        "was not parked there before",
        "get here/got here/got here, touch down/touched down/touched down, =stationed",
        "newly arrived, newly parked, newly landed, just landed, just parked, just arrived, freshly landed, "
        "freshly parked, freshly arrived, arriving, incoming",
        "recently arrived",
    ),
    "object": change_words(
        "=placed there, =put there, =put down, =set down, =brought in, =placed here, =newly placed, =set there, "
        "=set here, =put here, =put in, =put in place, =put up, =set up, =set up there, =laid there, "
        "=laid down, =installed, =newly installed, =newly put there, =newly set up, =newly brought in, =delivered, "
        "=dropped off, =dropped there, =brought here, =brought along, =carried in, =moved in, =moved here, "
        "=unloaded, =fixed there, =arranged there, =placed in the scene, =placed down, =put into the scene, "
        "=added to the scene, stands there now, stands here now, is standing there now, is now standing there, "
        "is here now, had not been put there before, had not been put there yet, had not been placed there before, "
        "was not put there before, was not placed there yet, was not here before",
        "=deposited, =positioned there",
        "newly placed, just placed, freshly placed, newly installed, newly set-up, newly brought-in, "
        "newly delivered, just delivered",
        "recently positioned",
    ),
}
DISAPPEARANCES: dict[str, ChangeWords] = {
    "": change_words(f"{_GONE[0]}, {_NO_EXISTENCE}", *_GONE[1:]),
    "living": change_words(*_GONE),
    "building": change_words(
        "=demolished, =torn down, =knocked down, =pulled down, =bulldozed, =destroyed, "
        "come down/came down/come down, =flattened, =taken down, =ripped down, =brought down, =blown up, =smashed, "
        "=crushed, =toppled, =cleared away, =cleared off, =broken up, =bulldozed away, =taken apart, =pulled apart, "
        "=torn apart, =knocked over, =knocked to the ground, =pulled to the ground, =torn to the ground, "
        "=wiped off the map, =eradicated, =annihilated, =turned into rubble, =reduced to rubble, "
        "collapse/collapsed/collapsed, fall down/fell down/fallen down, fall apart/fell apart/fallen apart, "
        "fall to pieces/fell to pieces/fallen to pieces, crumble/crumbled/crumbled, is no longer standing, "
        "is not standing any more, no longer stands there, was still standing before, "
        "was still standing in the {earlier}, was standing only at first, used to stand there, "
        "stood only in the {earlier}, stood there only before, had to go",
        "=razed, =levelled, =dismantled, =wrecked",
        "demolished, torn-down, knocked-down, bulldozed, pulled-down, destroyed, collapsed, flattened, cleared-away, "
        "taken-down, crushed, since demolished, now demolished, since destroyed",
        "razed, dismantled, wrecked",
    ),
    "structure": change_words(
        "=demolished, =torn down, =pulled down, =destroyed, =cleared away, =taken down, =ripped down, =brought down, "
        "=knocked down, =bulldozed, =flattened, =blown up, =smashed, =crushed, =toppled, =ripped out, =broken up, "
        "=taken apart, =pulled apart, =torn apart, =wiped off the map, =eradicated, =reduced to rubble, "
        "collapse/collapsed/collapsed, fall down/fell down/fallen down, fall apart/fell apart/fallen apart, "
        "crumble/crumbled/crumbled, used to stand there",
        "=razed, =dismantled",
        "demolished, torn-down, pulled-down, knocked-down, bulldozed, destroyed, flattened, collapsed, "
        "since demolished, now demolished",
        "dismantled, razed",
    ),
    "pool": change_words(
        "=destroyed, =ripped out, =demolished, =torn out, =pulled out, =torn up, =broken up, =ripped up, =bulldozed, "
        "=cleared away, =smashed, =built over, =wiped off the map, =covered over",
        "=dismantled",
        "demolished, destroyed, ripped-out, torn-out, since demolished",
        "dismantled",
    ),
    "road": change_words(
        "=torn up, =broken up, =dug up, =ripped up, =taken up, =destroyed, =demolished, =bulldozed, "
        "=cleared away, =scraped away, =taken apart, =torn apart, =broken apart, =wiped off the map, =eradicated, "
        "=built over",
        "=obliterated",
        "torn-up, broken-up, dug-up, ripped-up, destroyed, demolished, since destroyed",
        "obliterated",
    ),
    "tree": change_words(
        "=cut down, =felled, =chopped down, =cleared, =cut, =cleared away, =uprooted, =chopped, =hacked down, "
        "=hewn down, =taken down, =brought down, =cut away, =cut to the ground, =cleared off, =cleared out, "
        "=torn out, =ripped out, =pulled out, =knocked over, =toppled, =turned into timber, "
        "=turned into firewood, =chopped up, =bulldozed, =felled for timber, =destroyed, "
        "fall over/fell over/fallen over, topple over/toppled over/toppled over, come down/came down/come down, "
        "is no longer standing, is not standing any more, no longer stands there, was still standing before, "
        "was still standing in the {earlier}, used to stand there, used to grow there, no longer grows there",
        "=axed, =sawn down, =logged",
        "felled, cut-down, chopped-down, uprooted, chopped, cleared, chopped-up, cleared-away, hacked-down, "
        "since felled, since cut-down, now felled",
        "axed, logged",
    ),
    "vehicle": change_words(
        "leave/left/left, drive off/drove off/driven off, drive away/drove away/driven away, "
        "go away/went away/gone away, depart/departed/departed, pull out/pulled out/pulled out, "
        "move off/moved off/moved off, pull away/pulled away/pulled away, move away/moved away/moved away, "
        "leave the scene/left the scene/left the scene, drive out/drove out/driven out, "
        "drive out of view/drove out of view/driven out of view, drive on/drove on/driven on, "
        "drive elsewhere/drove elsewhere/driven elsewhere, =driven away, =driven off, =driven elsewhere, "
        "=towed away, =towed off, =moved away, =moved elsewhere, =taken elsewhere, "
        "roll away/rolled away/rolled away, roll off/rolled off/rolled off, "
        "roll out of view/rolled out of view/rolled out of view, race off/raced off/raced off, "
        "race away/raced away/raced away, rush off/rushed off/rushed off, rush away/rushed away/rushed away, "
        "zoom off/zoomed off/zoomed off, dash off/dashed off/dashed off, hurry off/hurried off/hurried off, "
        "set off/set off/set off, set out/set out/set out, get away/got away/got away, "
        "get going/got going/got going, back out/backed out/backed out, move out/moved out/moved out, "
        "move on/moved on/moved on, move out of view/moved out of view/moved out of view, "
        "pull off/pulled off/pulled off, push off/pushed off/pushed off, clear off/cleared off/cleared off, "
        "quit the scene/quit the scene/quit the scene, withdraw/withdrew/withdrawn, "
        "go elsewhere/went elsewhere/gone elsewhere, is elsewhere now, is no longer parked, "
        "is no longer parked there, is not parked there any more, no longer stands there, "
        "was still parked there before, was parked there only before, used to be parked there",
        "head off/headed off/headed off, speed off/sped off/sped off, "
        "exit the scene/exited the scene/exited the scene",
        "departed, departing, outgoing, since departed, now departed, driven-off, towed-away",
        "",
    ),
    "bicycle": change_words(
        "leave/left/left, ride off/rode off/ridden off, ride away/rode away/ridden away, "
        "go away/went away/gone away, depart/departed/departed, leave the scene/left the scene/left the scene, "
        "ride out/rode out/ridden out, ride out of view/rode out of view/ridden out of view, "
        "ride on/rode on/ridden on, ride elsewhere/rode elsewhere/ridden elsewhere, =wheeled away, =wheeled off, "
        "=pushed away, =moved away, =moved elsewhere, =taken elsewhere, roll away/rolled away/rolled away, "
        "roll off/rolled off/rolled off, race off/raced off/raced off, rush off/rushed off/rushed off, "
        "zoom off/zoomed off/zoomed off, dash off/dashed off/dashed off, set off/set off/set off, "
        "get away/got away/got away, move off/moved off/moved off, move away/moved away/moved away, "
        "move on/moved on/moved on, pull away/pulled away/pulled away, push off/pushed off/pushed off, "
        "quit the scene/quit the scene/quit the scene, go elsewhere/went elsewhere/gone elsewhere, is elsewhere now, "
        "is no longer parked there, is not parked there any more, was still parked there before, "
        "used to be parked there",
        "head off/headed off/headed off, pedal off/pedalled off/pedalled off",
        "departed, departing, since departed, now departed, wheeled-away",
        "",
    ),
    "person": change_words(
        "leave/left/left, walk away/walked away/walked away, walk off/walked off/walked off, "
        "go away/went away/gone away, depart/departed/departed, walk out/walked out/walked out, "
        "step out/stepped out/stepped out, leave the scene/left the scene/left the scene, "
        "walk out of view/walked out of view/walked out of view, walk on/walked on/walked on, "
        "walk elsewhere/walked elsewhere/walked elsewhere, step away/stepped away/stepped away, "
        "step out of view/stepped out of view/stepped out of view, stroll off/strolled off/strolled off, "
        "stroll away/strolled away/strolled away, stroll out of view/strolled out of view/strolled out of view, "
        "run off/ran off/run off, run away/ran away/run away, rush off/rushed off/rushed off, "
        "rush away/rushed away/rushed away, hurry off/hurried off/hurried off, hurry away/hurried away/hurried away, "
        "dash off/dashed off/dashed off, march off/marched off/marched off, slip away/slipped away/slipped away, "
        "set off/set off/set off, get away/got away/got away, move off/moved off/moved off, "
        "move away/moved away/moved away, move on/moved on/moved on, "
        "move out of view/moved out of view/moved out of view, clear off/cleared off/cleared off, "
        "quit the scene/quit the scene/quit the scene, withdraw/withdrew/withdrawn, "
        "go elsewhere/went elsewhere/gone elsewhere, is elsewhere now, is no longer standing there, "
        "is not standing there any more, no longer stands there, was still standing there before, "
        "used to stand there",
        "head off/headed off/headed off, exit the scene/exited the scene/exited the scene, "
        "wander off/wandered off/wandered off",
        "departed, departing, since departed, now departed",
        "",
    ),
    "animal": change_words(
        "leave/left/left, walk away/walked away/walked away, go away/went away/gone away, "
        "run away/ran away/run away, walk off/walked off/walked off, depart/departed/departed, "
        "leave the scene/left the scene/left the scene, walk out of view/walked out of view/walked out of view, "
        "walk on/walked on/walked on, run off/ran off/run off, rush off/rushed off/rushed off, "
        "dash off/dashed off/dashed off, stroll off/strolled off/strolled off, "
        "stroll away/strolled away/strolled away, slip away/slipped away/slipped away, get away/got away/got away, "
        "move off/moved off/moved off, move away/moved away/moved away, move on/moved on/moved on, "
        "go elsewhere/went elsewhere/gone elsewhere, is elsewhere now, is no longer standing there, "
        "used to stand there",
        "wander off/wandered off/wandered off, exit the scene/exited the scene/exited the scene",
        "departed, departing, since departed",
    ),
    "ship": change_words(
        "leave/left/left, sail away/sailed away/sailed away, sail off/sailed off/sailed off, "
        "depart/departed/departed, go away/went away/gone away, leave the scene/left the scene/left the scene, "
        "sail out/sailed out/sailed out, sail on/sailed on/sailed on, "
        "sail out of view/sailed out of view/sailed out of view, sail elsewhere/sailed elsewhere/sailed elsewhere, "
        "steam away/steamed away/steamed away, steam off/steamed off/steamed off, set sail/set sail/set sail, "
        "set off/set off/set off, put to sea/put to sea/put to sea, cast off/cast off/cast off, "
        "pull out/pulled out/pulled out, pull away/pulled away/pulled away, move off/moved off/moved off, "
        "move away/moved away/moved away, move on/moved on/moved on, get away/got away/got away, "
        "go elsewhere/went elsewhere/gone elsewhere, is elsewhere now, is no longer docked there, "
        "is no longer moored there, was still docked there before, used to be docked there",
        "head off/headed off/headed off, exit the scene/exited the scene/exited the scene",
        "departed, departing, outgoing, since departed, now departed",
        "",
    ),
    "plane": change_words(
        "leave/left/left, take off/took off/taken off, fly away/flew away/flown away, depart/departed/departed, "
        "leave the scene/left the scene/left the scene, fly off/flew off/flown off, fly out/flew out/flown out, "
        "fly on/flew on/flown on, fly elsewhere/flew elsewhere/flown elsewhere, lift off/lifted off/lifted off, "
        "taxi away/taxied away/taxied away, taxi off/taxied off/taxied off, "
        "taxi out of view/taxied out of view/taxied out of view, roll away/rolled away/rolled away, "
        "set off/set off/set off, get away/got away/got away, pull out/pulled out/pulled out, "
        "move off/moved off/moved off, move away/moved away/moved away, =towed away, =moved elsewhere, "
        "go elsewhere/went elsewhere/gone elsewhere, go away/went away/gone away, is elsewhere now, "
        "is no longer parked there, is not parked there any more, was still parked there before, "
        "used to be parked there",
        "head off/headed off/headed off, exit the scene/exited the scene/exited the scene",
        "departed, departing, outgoing, since departed, now departed",
        "",
    ),
    "object": change_words(
        "=picked up, =carried away, =carried off, =cleared away, =taken, =moved away, =put away, =packed away, "
        "=packed up, =tidied away, =tidied up, =cleaned up, =moved out, =moved off, =moved elsewhere, "
        "=moved somewhere else, =put elsewhere, =put somewhere else, =taken elsewhere, =taken somewhere else, "
        "=taken down, =thrown away, =thrown out, =disposed of, =scrapped, =cleared off, =cleared out, =lifted away, "
        "=dragged away, =dragged off, =pulled away, =transferred elsewhere, =carted off, =carted away, "
        "=brought elsewhere, =brought somewhere else, is elsewhere now, is somewhere else now, "
        "is not standing there any more, no longer stands there, was still standing there before, "
        "used to stand there",
        "=stowed away, =hauled off",
        "cleared-away, taken-away, carried-off, carried-away, picked-up, put-away, thrown-away, since removed, "
        "discarded",
        "",
    ),
}
LATER: Words = {
    "train": listed(
        "later image, second image, later photo, second photo, after image, newer image, newer photo, second picture, "
        "later picture, later photograph, second photograph, last image, latest image, new image, new photo, "
        "current image, present image, follow-up image, second view, later view, image taken later, "
        "photo taken later, image taken afterwards, second of the two images, "
        "t2 image, image from t2, up-to-date image"
    ),
    "reworded": ("later shot", "second shot", "subsequent image", "second snapshot"),
}
EARLIER: Words = {
    "train": listed(
        "earlier image, first image, earlier photo, first photo, before image, older image, older photo, "
        "first picture, earlier picture, earlier photograph, first photograph, old image, old photo, oldest image, "
        "previous image, previous photo, prior image, original image, first view, earlier view, image taken earlier, "
        "photo taken earlier, image taken before, first of the two images, "
        "t1 image, image from t1, image from before"
    ),
    "reworded": ("earlier shot", "first shot", "initial image", "first snapshot"),
}
PLURALS = {
    "is": "are",
    "looks": "look",
    "exists": "exist",
    "stands": "stand",
    "grows": "grow",
    "glows": "glow",
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
