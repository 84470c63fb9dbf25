# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Synonyms for changes of state. `changes.py` explains the notation of the entries."""

from .changes import ChangeWords, change_words


# Keys are the first clause for the change in the generator's language.
STATES: dict[str, ChangeWords] = {
    "that changed": change_words(
        "change/changed/changed, is different, is not the same any more, is different in the {later}, =altered, "
        "=changed, does not look the same in the {later}, is not what it was before, looks different, "
        "looks different now, is different now, =made different, =reworked, "
        "=turned into something different, =changed over, become different/became different/become different, "
        "evolve/evolved/evolved, undergo a change/underwent a change/undergone a change, "
        "go through a change/went through a change/gone through a change, see a change/saw a change/seen a change, "
        "take another form/took another form/taken another form, "
        "take on another look/took on another look/taken on another look, "
        "get another look/got another look/got another look, is in another state now, is in a different state now, "
        "is in another state in the {later}, is in an altered state, has another look now, has a different look now, "
        "has a new look, looks altered, looks altered now, looks changed, looks changed now, "
        "looks different from before, looks other than before, looks different in the {earlier}, "
        "is different from before, is different from the {earlier}, is different than before, is no longer the same, "
        "is no longer the same as before, is no longer what it was, is no longer identical, "
        "is not the same as before, is not the same now, is not the same in the {later}, "
        "is not the same as in the {earlier}, is not identical any more, is not identical in the {later}, "
        "is not how it was, is not how it was before, is not what it used to be, is not as before, "
        "is not as it used to be, no longer looks the same, no longer looks as before, no longer looks as it did, "
        "does not look as before, does not look the same now, does not look the same any more, "
        "did not stay the same, did not stay as it was, was different before, was different at first, "
        "was different in the {earlier}, was not the same before, used to be different, used to look different, "
        "is still there but different, is still there but altered, is still there but has changed, "
        "is still there but looks different, is there both times but looks different, is still present but altered",
        "=modified, =transformed, is no longer as it was, "
        "take on a fresh look/took on a fresh look/taken on a fresh look, "
        "differ between the shots/differed between the shots/differed between the shots",
        "changed, altered, different-looking, now different, now altered, newly changed, newly altered, reworked, "
        "no longer identical",
        "modified, transformed",
    ),
    "whose roof changed from X to Y": change_words(
        "whose roof went from X to Y, whose roof turned from X to Y, whose roof was X and is now Y, "
        "whose roof used to be X and is Y now, whose X roof became Y, whose roof colour changed from X to Y, "
        "whose X roof is Y now, whose roof was X before and is Y now, whose roof was X at first and is Y now, "
        "whose roof was X but is Y now, whose roof was X but is now Y, whose roof was X and turned Y, "
        "whose roof was X and became Y, whose roof was X in the {earlier} and is Y now, "
        "whose roof used to be X but is now Y, whose roof used to be X and turned Y, "
        "whose roof changed its colour from X to Y, whose roof changed colour from X to Y, "
        "whose roof was changed from X to Y, whose roof was turned from X to Y, "
        "whose roof was repainted from X to Y, whose roof has gone from X to Y, whose roof has turned from X to Y, "
        "whose roof is no longer X but Y, whose roof is not X any more but Y, whose roof is Y instead of X now, "
        "whose roof is now Y instead of X, whose roof is now Y and was X before, "
        "whose roof is Y now and was X at first, whose X roof turned Y, whose X roof went Y, whose X roof is now Y, "
        "whose X roof has become Y, whose X roof has turned Y, whose X roof was made Y, whose X roof was painted Y, "
        "whose roof colour went from X to Y, whose roof colour turned from X to Y, "
        "whose roof colour was X and is Y now, whose roof colour is Y instead of X now",
        "whose roof switched from X to Y, whose roof started out X and ended up Y, whose X roof gave way to a Y one",
    ),
    "whose roof turned Y": change_words(
        "whose roof became Y, whose roof went Y, whose roof is now Y, whose roof is Y now, =given a Y roof, "
        "get a Y roof/got a Y roof/got a Y roof, has a Y roof now, whose roof was made Y, whose roof has become Y, "
        "whose roof has turned Y, whose roof has gone Y, whose roof is Y in the {later}, whose roof was painted Y, "
        "whose roof was repainted Y, whose roof was turned Y, whose roof was changed to Y, "
        "whose roof was redone in Y, whose roof changed to Y, whose roof changed its colour to Y, "
        "whose roof changed colour to Y, whose roof was not Y before, whose roof was not Y at first, "
        "whose roof was not Y in the {earlier}, whose roof was not yet Y, "
        "whose roof had another colour before it turned Y, whose roof is Y only now, "
        "whose roof is Y only in the {later}, whose roof colour changed to Y, whose roof colour is Y now, "
        "whose roof colour is now Y, whose roof colour became Y, whose roof colour turned Y, =given a new Y roof, "
        "=given a roof in Y, =fitted with a Y roof, =roofed in Y, =reroofed in Y, "
        "=re-covered in Y, get a new Y roof/got a new Y roof/got a new Y roof, "
        "get a roof in Y/got a roof in Y/got a roof in Y, now has a Y roof, has a new Y roof, "
        "has a Y roof in the {later}, has a roof in Y now, had no Y roof before",
        "whose roof ended up Y, whose roof took on a Y tone, receive a Y roof/received a Y roof/received a Y roof",
    ),
    "that changed from X to Y": change_words(
        "go from X to Y/went from X to Y/gone from X to Y, turn from X to Y/turned from X to Y/turned from X to Y, "
        "was X and is now Y, was X before and is Y now, used to be X and is Y now, "
        "change colour from X to Y/changed colour from X to Y/changed colour from X to Y, "
        "was X at first and became Y, was X and turned Y, was X and became Y, was X at first and is Y now, "
        "was X at first and is now Y, was X at first but is Y now, was X but is Y now, was X but is now Y, "
        "was X before and is now Y, was X before but is now Y, was X in the {earlier} and is Y now, "
        "used to be X and is now Y, used to be X but is now Y, used to be X but is Y now, used to be X and turned Y, "
        "used to be X and became Y, is no longer X but Y, is not X any more but Y, is Y instead of X now, "
        "is now Y instead of X, is now Y and was X before, is Y now and was X before, "
        "is Y in the {later} and was X before, =turned from X to Y, =changed from X to Y, =altered from X to Y, "
        "change in colour from X to Y/changed in colour from X to Y/changed in colour from X to Y, "
        "turn from X into Y/turned from X into Y/turned from X into Y, "
        "change over from X to Y/changed over from X to Y/changed over from X to Y, "
        "swap X for Y/swapped X for Y/swapped X for Y",
        "switch from X to Y/switched from X to Y/switched from X to Y, started out X and ended up Y, shift from X to "
        "Y/shifted from X to Y/shifted from X to Y",
    ),
    "that turned Y": change_words(
        "become Y/became Y/become Y, go Y/went Y/gone Y, is Y now, is now Y, is Y in the {later}, =made Y, "
        "turn Y/turned Y/turned Y, change to Y/changed to Y/changed to Y, "
        "change colour to Y/changed colour to Y/changed colour to Y, "
        "take on the colour Y/took on the colour Y/taken on the colour Y, "
        "take the colour Y/took the colour Y/taken the colour Y, "
        "adopt the colour Y/adopted the colour Y/adopted the colour Y, "
        "assume the colour Y/assumed the colour Y/assumed the colour Y, "
        "get a Y colour/got a Y colour/got a Y colour, get the colour Y/got the colour Y/got the colour Y, "
        "=turned Y, =changed to Y, =given a Y colour, =given the colour Y, has a Y colour now, "
        "has a Y colour in the {later}, has the colour Y now, is now of Y colour, is Y in colour now, is Y only now, "
        "is Y only in the {later}, is now coloured Y, was not Y before, was not Y at first, "
        "was not Y in the {earlier}, was not yet Y, was not Y but is now, had another colour before it turned Y",
        "end up Y/ended up Y/ended up Y, take on a Y tone/took on a Y tone/taken on a Y tone",
    ),
    "that was repainted": change_words(
        "=painted over, get a new coat of paint/got a new coat of paint/got a new coat of paint, "
        "=given a new colour, =painted in another colour, =given a new coat of paint, has another colour now, "
        "=painted again, =repainted, =freshly painted, =newly painted, =painted anew, =painted differently, "
        "=painted in a new colour, =painted in a different colour, =repainted in another colour, "
        "=given another colour, =given a different colour, =given a new paint job, =given new paint, "
        "=coloured differently, =redone in another colour, =covered in new paint, "
        "get another colour/got another colour/got another colour, "
        "get a new colour/got a new colour/got a new colour, "
        "get a different colour/got a different colour/got a different colour, "
        "get a new paint job/got a new paint job/got a new paint job, get new paint/got new paint/got new paint, "
        "change colour/changed colour/changed colour, has a different colour now, has a new colour, "
        "has a new colour now, has a new coat of paint, has a different paint now, "
        "has another colour in the {later}, is painted differently now, is in another colour now, "
        "is in a different colour now, is not the same colour any more, no longer has the same colour, "
        "had another colour before, had a different colour before, had another colour in the {earlier}",
        "=recoloured, =redecorated, get a makeover/got a makeover/got a makeover",
        "repainted, newly painted, freshly painted, newly repainted, newly coloured, just painted, re-painted",
        "recoloured, redecorated",
    ),
    "that was repainted Y": change_words(
        "=painted Y, =painted over in Y, =repainted in Y, =given a coat of Y paint, =painted over and is Y now, "
        "=painted over with Y, =painted in Y, =painted all Y, =freshly painted Y, =newly painted Y, "
        "=repainted with Y paint, =given a Y coat of paint, =given a new Y coat of paint, =given Y paint, "
        "=given a Y paint job, =coated in Y, =coated with Y paint, =covered in Y paint, =covered with Y paint, "
        "=done in Y, =done up in Y, =redone in Y, =sprayed Y, "
        "get a coat of Y paint/got a coat of Y paint/got a coat of Y paint, "
        "get a Y coat of paint/got a Y coat of paint/got a Y coat of paint, has a Y coat of paint now, "
        "has a coat of Y paint now, is painted Y now, is now painted Y, is painted Y in the {later}",
        "=recoloured in Y, =redecorated in Y",
    ),
    "that was paved": change_words(
        "=paved over, =asphalted, =tarmacked, =surfaced, =covered with asphalt, is now paved, is paved now, "
        "is no longer dirt, get a hard surface/got a hard surface/got a hard surface, =paved, =resurfaced, "
        "=hard-surfaced, =concreted, =concreted over, =asphalted over, =tarmacked over, =blacktopped, "
        "=given a hard surface, =given an asphalt surface, =given a layer of asphalt, =given a solid surface, "
        "=covered in asphalt, =covered with tarmac, =covered in tarmac, =coated with asphalt, =coated with tarmac, "
        "=laid with asphalt, =surfaced with asphalt, =surfaced with tarmac, =paved with asphalt, "
        "=turned from dirt to asphalt, =upgraded with asphalt, =upgraded from dirt to asphalt, "
        "get an asphalt surface/got an asphalt surface/got an asphalt surface, "
        "get a layer of asphalt/got a layer of asphalt/got a layer of asphalt, "
        "get a solid surface/got a solid surface/got a solid surface, "
        "go from dirt to asphalt/went from dirt to asphalt/gone from dirt to asphalt, "
        "turn from dirt to asphalt/turned from dirt to asphalt/turned from dirt to asphalt, is asphalted now, "
        "is now asphalted, is tarmacked now, is hard-surfaced now, is paved in the {later}, "
        "has an asphalt surface now, has a hard surface now, has a solid surface now, is no longer unpaved, "
        "is not dirt any more, is not unpaved any more, was dirt and is paved now, was dirt before and is now paved, "
        "was unpaved and is paved now, was unpaved before, was still dirt before, "
        "was still unpaved in the {earlier}, used to be dirt, used to be unpaved",
        "=tarred, =metalled, receive a sealed top/received a sealed top/received a sealed top",
        "newly paved, freshly paved, newly asphalted, newly surfaced, newly resurfaced, newly tarmacked, "
        "newly concreted, freshly asphalted, freshly surfaced, just paved, asphalted, resurfaced",
        "recently tarred, recently metalled",
    ),
    "that was ploughed": change_words(
        "=tilled, =turned over, =ploughed up, =dug over, is freshly ploughed, =worked with a plough, =ploughed, "
        "=ploughed over, =ploughed through, =freshly ploughed, =newly ploughed, =freshly tilled, =newly tilled, "
        "=churned up, =turned with a plough, =tilled with a plough, =prepared with a plough, =prepared for sowing, "
        "=put under the plough, =worked by a plough, "
        "go under the plough/went under the plough/gone under the plough, "
        "come under the plough/came under the plough/come under the plough, is ploughed now, is now ploughed, "
        "is ploughed up now, is tilled now, is now tilled, is freshly tilled, is ploughed in the {later}, "
        "has ploughed soil now, has turned soil now, was not ploughed before, was not ploughed at first, "
        "was not yet ploughed, had not been ploughed before, had not been tilled before, is ready for sowing",
        "=furrowed, =harrowed",
        "newly ploughed, freshly ploughed, newly tilled, just ploughed, freshly tilled, freshly turned, just tilled, "
        "now ploughed, ploughed-up",
        "recently furrowed, recently harrowed",
    ),
    "that is no longer farmed in the later image": change_words(
        "is not farmed any more, is no longer farmed, =turned into something else, is no longer used for farming, "
        "is no longer cultivated, =put to another use, =given up, is no field any more, "
        "turn into something else/turned into something else/turned into something else, =changed to another use, "
        "=converted, is not cultivated any more, is not cultivated now, is not used for farming any more, "
        "is not used for crops any more, is no longer used for crops, is no longer farmland, "
        "is not farmland any more, is no longer planted with crops, is no longer under cultivation, "
        "is out of cultivation, is out of use now, is out of farming, is fallow now, is without crops now, "
        "is used for something else now, is used differently now, is used otherwise now, has another use now, "
        "has a different use now, has no crops any more, has no crops now, no longer has crops, "
        "=changed over to another use, =changed into something else, =put to a different use, "
        "=put to some other use, =converted to something else, =converted into something else, "
        "=made into something else, =taken out of farming, =taken out of cultivation, =retired from farming, "
        "=withdrawn from farming, lie fallow/lay fallow/lain fallow, go out of use/went out of use/gone out of use, "
        "stop being farmed/stopped being farmed/stopped being farmed, "
        "stop being farmland/stopped being farmland/stopped being farmland, change use/changed use/changed use, "
        "get another use/got another use/got another use, was farmed only before, was farmed only at first, "
        "was still farmed before, was still farmed in the {earlier}, used to be farmed, used to be farmland",
        "=repurposed, =abandoned, cease to be farmed/ceased to be farmed/ceased to be farmed, serve a different "
        "purpose/served a different purpose/served a different purpose",
        "converted, no longer farmed, formerly farmed, no longer cultivated, now fallow, given-up",
        "repurposed, abandoned",
    ),
    "that ripened": change_words(
        "become ripe/became ripe/become ripe, is ripe now, turn ripe/turned ripe/turned ripe, is now ripe, "
        "get ripe/got ripe/got ripe, is ready for harvest, grow ripe/grew ripe/grown ripe, "
        "grow golden/grew golden/grown golden, turn golden/turned golden/turned golden, "
        "become golden/became golden/become golden, go golden/went golden/gone golden, "
        "ripen fully/ripened fully/ripened fully, come to ripeness/came to ripeness/come to ripeness, "
        "get ready for harvest/got ready for harvest/got ready for harvest, "
        "become ready for harvest/became ready for harvest/become ready for harvest, is fully ripe, "
        "is fully ripe now, is ripe in the {later}, is ripe for harvest, is ready for the harvest, "
        "is ready for harvest now, is ready to be harvested, is ready to harvest now, is harvest-ready, "
        "is golden now, is no longer unripe, is not unripe any more, has ripe crops now, has ripe grain now, "
        "was not ripe before, was not ripe at first, was not yet ripe, was unripe before, "
        "was unripe and is ripe now, was still unripe in the {earlier}",
        "mature/matured/matured, reach maturity/reached maturity/reached maturity, mellow/mellowed/mellowed",
        "newly ripened, just ripened, freshly ripened, now ripe, newly ripe, harvest-ready, fully ripened",
        "matured",
    ),
    "that dried up": change_words(
        "dry out/dried out/dried out, run dry/ran dry/run dry, is dry now, has no water any more, "
        "has no water anymore, go dry/went dry/gone dry, lose its water/lost its water/lost its water, "
        "is without water now, is dried up, become dry/became dry/become dry, dry/dried/dried, "
        "turn dry/turned dry/turned dry, fall dry/fell dry/fallen dry, dry away/dried away/dried away, "
        "lose all water/lost all water/lost all water, run out of water/ran out of water/run out of water, "
        "shrink to nothing/shrank to nothing/shrunk to nothing, is dried out, is dried out now, is dried up now, "
        "is dry in the {later}, is bone dry, is bone-dry now, is waterless, is waterless now, is out of water, "
        "is empty of water, is without any water, is no longer wet, is not wet any more, has no water now, "
        "has no water in the {later}, has lost its water, no longer has any water, no longer has water, "
        "had water and is dry now, had water before but is dry now, was wet and is dry now, was not dry before, "
        "was not dry at first, was not dry in the {earlier}, used to have water but is dry now, used to be wet",
        "evaporate/evaporated/evaporated, is parched, =desiccated",
        "dried-up, dried-out, now dry, dried, waterless, now waterless, newly dry",
        "evaporated, parched",
    ),
    "whose water level fell": change_words(
        "whose water level sank, whose water level went down, whose water went down, whose water level is lower now, "
        "whose water level decreased, whose water sank, whose water is lower now, whose water level dipped, "
        "whose water level lowered, whose water level shrank, whose water level got lower, "
        "whose water level became lower, whose water level is down, whose water level is reduced, "
        "whose water level is lower in the {later}, whose water level is not as high any more, "
        "whose water level is not as high as before, whose water level was higher before, "
        "whose water level was higher at first, whose water level was higher in the {earlier}, "
        "whose water level used to be higher, whose water level has sunk, whose water fell, whose water dropped, "
        "whose water dipped, whose water got lower, whose water has sunk, whose water has gone down, "
        "whose water is not as high as before, whose water was higher before, whose water used to be higher, "
        "whose water stands lower now, lose some water/lost some water/lost some water, "
        "lose water/lost water/lost water, become shallower/became shallower/become shallower, "
        "get shallower/got shallower/got shallower, has less water now, has less water than before, "
        "has less water in the {later}, is less full now, is less full than before, is not as full any more, "
        "is not as full as before, is shallower now, is shallower than before, had more water before, "
        "was fuller before, used to be fuller",
        "whose water level receded, whose water level declined, whose water receded",
    ),
    "whose water level rose": change_words(
        "whose water level went up, whose water level increased, whose water went up, "
        "whose water level is higher now, whose water level came up, whose water rose, whose water is higher now, "
        "whose water level grew, whose water level got higher, whose water level became higher, "
        "whose water level is up, whose water level is higher in the {later}, "
        "whose water level is not as low any more, whose water level is not as low as before, "
        "whose water level was lower before, whose water level was lower at first, "
        "whose water level was lower in the {earlier}, whose water level used to be lower, "
        "whose water level has gone up, whose water increased, whose water came up, whose water got higher, "
        "whose water has gone up, whose water is not as low as before, whose water was lower before, "
        "whose water used to be lower, whose water stands higher now, gain water/gained water/gained water, "
        "get more water/got more water/got more water, become fuller/became fuller/become fuller, "
        "become deeper/became deeper/become deeper, get fuller/got fuller/got fuller, has more water now, "
        "has more water than before, has more water in the {later}, is fuller now, is fuller than before, "
        "is deeper now, is deeper than before, is not as shallow any more, had less water before, "
        "was shallower before, used to be shallower",
        "whose water level climbed, whose water swelled, whose water level mounted",
    ),
    "that filled with water": change_words(
        "fill up with water/filled up with water/filled up with water, has water in it now, is not dry any more, "
        "is no longer dry, has water again, was dry and now has water, "
        "fill with water/filled with water/filled with water, =covered with water, "
        "=supplied with water, run full/ran full/run full, run full of water/ran full of water/run full of water, "
        "get water again/got water again/got water again, "
        "turn from dry to wet/turned from dry to wet/turned from dry to wet, "
        "go from dry to wet/went from dry to wet/gone from dry to wet, become wet/became wet/become wet, "
        "has water now, has water in it again, has some water now, has water in the {later}, is wet now, "
        "is wet again, is under water now, is covered with water now, is no longer without water, "
        "is not without water any more, is no longer dried up, was dry before and has water now, "
        "was dry at first but has water now, was dry but has water now, was dry before, was dry at first, "
        "was still dry before, was dry in the {earlier}, was without water and has some now, had no water before, "
        "had no water at first, used to be dry",
        "=flooded, =replenished",
        "now wet, newly wet, water-filled",
    ),
    "that was drained": change_words(
        "=emptied, is empty now, has no water in it any more, is no longer full, is without water, "
        "=drained of water, =emptied out, is now empty, =cleared of water, =freed of water, =freed from water, "
        "=emptied of water, drain/drained/drained, drain away/drained away/drained away, "
        "run empty/ran empty/run empty, become empty/became empty/become empty, go empty/went empty/gone empty, "
        "go from full to empty/went from full to empty/gone from full to empty, is empty in the {later}, "
        "is no longer filled, is not filled any more, is not full any more, is drained now, is now drained, "
        "stands empty now, has no water in it, has no water in it now, no longer has water in it, "
        "had water in it before, was full and is empty now, was full before and is empty now, "
        "was full at first but is empty now, was filled and is empty now, was full before, was still full before, "
        "was still full in the {earlier}, was filled before, used to be full",
        "=pumped out, =vacated of water",
        "newly drained, emptied, now empty, drained, newly emptied, just drained, no longer filled",
        "pumped-out",
    ),
    "that was filled": change_words(
        "fill up/filled up/filled up, is full now, =filled up, is no longer empty, is not empty any more, "
        "is full of water now, is now full, =filled, =filled to the brim, =filled again, get full/got full/got full, "
        "become full/became full/become full, go from empty to full/went from empty to full/gone from empty to full, "
        "is full again, is full in the {later}, is filled now, is now filled, is filled in the {later}, "
        "is filled again, is full to the brim, is no longer drained, is not drained any more, stands full now, "
        "was empty and is full now, was empty before and is full now, was empty at first but is full now, "
        "was empty before, was empty at first, was still empty before, was empty in the {earlier}, "
        "was not full before, used to be empty, had no water in it before",
        "=topped up, =refilled",
        "newly filled, filled-up, now full, now filled, just filled, freshly filled, no longer empty",
        "refilled",
    ),
    "that was opened": change_words(
        "is open now, is now open, =opened up, is no longer closed, open/opened/opened, "
        "stand open/stood open/stood open, swing open/swung open/swung open, is not shut any more, "
        "go from closed to open/went from closed to open/gone from closed to open, is open in the {later}, "
        "=pulled open, =pushed open, =thrown open, =flung open, =swung open, =opened wide, "
        "come open/came open/come open, fly open/flew open/flown open, fall open/fell open/fallen open, "
        "spring open/sprang open/sprung open, go from shut to open/went from shut to open/gone from shut to open, "
        "turn from closed to open/turned from closed to open/turned from closed to open, "
        "change from closed to open/changed from closed to open/changed from closed to open, is wide open, "
        "is wide open now, is standing open, is opened now, is open only now, is open only in the {later}, "
        "is no longer shut, is not closed any more, is not closed in the {later}, is not closed now, "
        "stands open now, was closed and is open now, was closed before but is open now, was closed at first, "
        "was closed before, was shut and is open now, was shut before, was still closed before, "
        "was still closed in the {earlier}, was not open before, was not open at first, "
        "was not open in the {earlier}, used to be closed, used to be shut",
        "is ajar, =unlocked, =unfastened",
        "newly opened, opened, just opened, now open, pulled-open, no longer closed, wide-open",
        "unlocked, unfastened",
    ),
    "that was closed": change_words(
        "is closed now, is now closed, =shut, is no longer open, close/closed/closed, "
        "swing shut/swung shut/swung shut, is shut now, is not open any more, "
        "go from open to closed/went from open to closed/gone from open to closed, is closed in the {later}, "
        "=pulled shut, =pushed shut, =slammed shut, =slammed, =closed up, =shut tight, "
        "fall shut/fell shut/fallen shut, slam/slammed/slammed, slam shut/slammed shut/slammed shut, "
        "go from open to shut/went from open to shut/gone from open to shut, "
        "turn from open to closed/turned from open to closed/turned from open to closed, "
        "change from open to closed/changed from open to closed/changed from open to closed, is now shut, "
        "is shut in the {later}, is shut tight, is closed only now, is closed only in the {later}, "
        "is not open in the {later}, is not open now, is no longer standing open, stands closed now, "
        "no longer stands open, was open and is closed now, was open and is shut now, "
        "was open before but is closed now, was open before but is shut now, was open at first, was open before, "
        "was still open before, was still open in the {earlier}, was not closed before, was not closed at first, "
        "was not shut before, used to be open",
        "=fastened, =sealed, =locked",
        "newly closed, shut, just closed, now closed, now shut, pulled-shut, slammed-shut, no longer open",
        "fastened, locked",
    ),
    "that was switched on": change_words(
        "=turned on, is on now, come on/came on/come on, =lit up, is lit now, go on/went on/gone on, is now on, "
        "is no longer off, is glowing now, is lit in the {later}, =switched on, is on in the {later}, =lit, =put on, "
        "=flicked on, =flipped on, =powered on, =powered up, turn on/turned on/turned on, light up/lit up/lit up, "
        "glow/glowed/glowed, begin to glow/began to glow/begun to glow, "
        "go from off to on/went from off to on/gone from off to on, is alight, is alight now, is burning now, "
        "is glowing, is beaming now, is bright now, is giving light now, is giving off light now, is lit up now, "
        "is turned on now, is on only now, is on only in the {later}, is lit only in the {later}, "
        "is no longer unlit, is not off any more, was off and is on now, was off before but is on now, "
        "was off at first, was off before, was unlit and is lit now, was unlit before, was still off before, "
        "was still off in the {earlier}, was not on before, was not lit before, was not lit at first, "
        "was not lit in the {earlier}, used to be off, used to be unlit",
        "=illuminated, is shining, =activated",
        "newly lit, lit-up, now lit, just lit, turned-on, glowing, now glowing",
        "illuminated, shining",
    ),
    "that was switched off": change_words(
        "=turned off, is off now, go out/went out/gone out, go off/went off/gone off, is no longer lit, is now off, "
        "is not lit any more, is no longer on, =put out, is off in the {later}, =switched off, =flicked off, "
        "=powered off, =powered down, =shut off, turn off/turned off/turned off, "
        "stop glowing/stopped glowing/stopped glowing, stop giving light/stopped giving light/stopped giving light, "
        "stop burning/stopped burning/stopped burning, go from on to off/went from on to off/gone from on to off, "
        "is unlit, is unlit now, is turned off now, is not on any more, is not on now, is not lit now, "
        "is not lit in the {later}, is no longer glowing, is not glowing any more, is no longer alight, "
        "is no longer burning, is no longer giving light, is on only in the {earlier}, is lit only in the {earlier}, "
        "no longer glows, was on and is off now, was on before but is off now, was on at first, was on before, "
        "was lit and is unlit now, was lit before but is not any more, was lit at first, was lit before, "
        "was still on before, was still lit before, was still on in the {earlier}, was still lit in the {earlier}, "
        "used to be on, used to be lit",
        "=extinguished, go dark/went dark/gone dark, =deactivated",
        "switched-off, turned-off, powered-off, now unlit, unlit, no longer lit, no longer glowing",
        "extinguished",
    ),
}
