# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Replaces nouns that no training sentence has by plain ones for the same thing: "edifice" by "building". The model
knows rare nouns only from the embeddings of their tokens.

The lists hold synonyms and kinds of things, in the singular. Words that are often something else are left out.
"""

import re


_SYNONYMS = {
    "house": "abode, cabana, cottage, duplex, hut, maisonette, manor, residence, rowhouse, shack, shanty",
    "warehouse": (
        "cargo terminal, cold storage facility, depository, distribution center, distribution centre, distribution "
        "hub, freight depot, freight terminal, fulfillment center, fulfilment centre, logistics center, logistics "
        "centre, logistics hub, self-storage facility, shipping center, storage depot, storage facility"
    ),
    "greenhouse": "hoophouse, hothouse, orangery, polyhouse, shadehouse",
    "building": (
        "annex, annexe, apartment complex, cathedral, chapel, church, condominium, dormitory, edifice, garage, "
        "gymnasium, high rise, highrise, hospital, low rise, low-rise, mall, mid-rise, mosque, museum, outbuilding, "
        "pavilion, shopping center, shopping centre, shopping mall, supermarket, superstore, temple, tenement, "
        "workshop"
    ),
    "vehicle": (
        "ambulance, atv, auto rickshaw, backhoe, buggy, bulldozer, camper, camper van, caravan, combine harvester, "
        "digger, excavator, forklift, front loader, golf cart, means of transport, motorhome, rickshaw, road roller, "
        "rv, snowplough, snowplow, steamroller, tractor, tuk-tuk, wheel loader"
    ),
    "car": (
        "fastback, jalopy, jeep, land rover, liftback, minicab, minivan, motorcar, mpv, off-roader, subcompact, "
        "supermini, suv, taxicab"
    ),
    "truck": "18-wheeler, big rig, cement mixer, concrete mixer, dustcart, fire engine, hgv, pick-up, semi-truck",
    "bus": "double decker, microbus, minibus, omnibus, trolleybus",
    "bicycle": "beach cruiser, e-bike, ebike, pedal cycle, pedelec, push-bike, pushbike, tricycle, trike, unicycle",
    "person": (
        "adolescent, athlete, bather, beachgoer, bicyclist, biker, cashier, child, construction worker, cop, "
        "customer, cyclist, driver, employee, golfer, guard, guest, hiker, human silhouette, individual, infant, "
        "jogger, kid, laborer, labourer, loiterer, motorcyclist, motorist, office worker, officer, patron, pensioner, "
        "player, police officer, pupil, rider, runner, sales assistant, salesperson, security guard, shop assistant, "
        "shopper, skateboarder, skater, skier, snowboarder, somebody, someone, spectator, sportsperson, street "
        "vendor, student, sunbather, surfer, swimmer, teen, teenager, tennis player, toddler, tourist, traveler, "
        "traveller, vendor, waiter, walker, worker, workman, youngster"
    ),
    "man": (
        "bloke, businessman, chap, cowboy, dad, father, fireman, fisherman, husband, little boy, male customer, male "
        "individual, male rider, male shopper, male walker, male worker, policeman, salesman, schoolboy, serviceman, "
        "sportsman, teenage boy, workingman, young boy"
    ),
    "woman": (
        "businesswoman, female customer, female individual, female rider, female shopper, female walker, female "
        "worker, girl, grandmother, housewife, little girl, mom, mother, mum, policewoman, saleslady, saleswoman, "
        "schoolgirl, sportswoman, teenage girl, waitress, wife, young girl"
    ),
    "tree": (
        "acacia, banyan, cedar, coconut palm, cypress, date palm, eucalyptus, hawthorn, juniper, larch, linden, palm, "
        "redwood, sequoia, sycamore, yew"
    ),
    "patch of forest": (
        "forest fragment, forest land, forest plantation, forestland, greenwood, grove, jungle, orchard, pinewood, "
        "plantation, rainforest, shelterbelt, thicket, timberland, tree belt, tree plantation, wildwood, wooded land"
    ),
    "field": (
        "agricultural land, arable land, crop land, cropfield, cultivated land, fallow land, farm land, farmed land, "
        "farming land, grassland, grazing land, hayfield, meadow, paddy, pasture, pastureland, ploughland, plowland, "
        "rangeland, rice paddy, tilled land, vineyard, wheatfield"
    ),
    "pond": (
        "catchment basin, detention basin, lagoon, loch, reservoir, retention basin, tarn, water basin, water "
        "feature, water reservoir, waterhole"
    ),
    "pool": "hot tub, jacuzzi, swimming bath, swimming baths, swimming-pool, whirlpool tub",
    "road": (
        "a-road, alley, alleyway, autobahn, avenue, b-road, backstreet, beltway, bypass, country lane, cul-de-sac, "
        "driveway, highroad, interstate, lane, parkway, road segment, tollway, traffic lane"
    ),
    "box": (
        "beer crate, bottle crate, crate, fruit crate, hatbox, lunchbox, milk crate, packing crate, plastic crate, "
        "shoebox, storage crate, storage tub, toolbox, wooden crate"
    ),
    "bin": "dustbin, litterbin, wastebasket",
    "sign": "a-board, finger post, fingerpost, noticeboard, placard, roadsign, sign post, warning notice",
    "bench": "banquette",
    "door": "emergency exit, entranceway, entryway, trapdoor",
    "shelf": (
        "book rack, display rack, etagere, magazine rack, mantel, mantelpiece, mantelshelf, merchandise rack, metal "
        "rack, overmantel, pallet rack, pallet racking, rack, racking, shelf rack, shelving rack, shoe rack, spice "
        "rack, storage rack, storage racking, wall rack, warehouse rack, wire rack"
    ),
    "lamp": (
        "anglepoise, downlight, downlighter, floodlight, lamp post, lamp-post, lamppost, lantern, lighting column, "
        "nightlight, paper lantern, sconce, spotlight, streetlamp, streetlight, torchiere, uplighter, wall sconce"
    ),
    "chair": "armchair, chaise, chaise longue, deckchair, footstool, highchair, lounger, sun lounger, wheelchair",
    "table": (
        "computer desk, desk, escritoire, nightstand, office desk, reception desk, roll-top desk, secretary desk, "
        "standing desk, student desk, study desk, worktable, writing desk"
    ),
    "plant": (
        "aloe vera, bonsai, cactus, ivy, orchid, plantlet, potted shrub, rhododendron, rosebush, seedling, shrub, "
        "shrubbery, succulent, sunflower, tulip"
    ),
    "picture": (
        "artwork, collage, engraving, etching, framed artwork, framed poster, lithograph, mural, photo frame, picture "
        "frame, poster, still life, tapestry, wall poster, watercolor, watercolour, woodcut"
    ),
    "bag": "burlap sack, duffle, gunny sack, mailbag, postbag, refuse sack, sack, sandbag, trash sack",
    "storage tank": "gas holder, gasholder, gasometer, grain silo, oil silo, silo, storage cylinder, storage silo",
    "bridge": "aqueduct, causeway, drawbridge, elevated walkway, flyover, skybridge, skywalk, trestle, viaduct",
    "harbor": (
        "anchorage, boat basin, container terminal, docking facility, dockside, ferry terminal, harbor basin, "
        "harborside, harbour basin, harbourside, jetty, marine terminal, mooring basin, naval base, port basin, port "
        "facility, quay, quayside, shipyard, wharf, yacht basin"
    ),
    "ship": (
        "battleship, bulker, car ferry, destroyer, dredger, ferry, ferryboat, frigate, galleon, gunboat, icebreaker, "
        "minesweeper, oil tanker, submarine, supertanker, tanker, trawler, warship"
    ),
    "airplane": (
        "airbus, airframe, airliner, biplane, boeing, bomber, cessna, crop duster, floatplane, glider, jetliner, "
        "jumbo, learjet, monoplane, sailplane, seaplane, stealth bomber, triplane, ultralight, warplane, water "
        "bomber, widebody"
    ),
    "boat": (
        "airboat, cabin cruiser, catamaran, day cruiser, dinghy, gondola, hovercraft, life raft, lifeboat, longboat, "
        "narrowboat, paddleboat, pedalo, personal watercraft, pleasure craft, powerboat, raft, riverboat, rubber "
        "dinghy, schooner, sloop, small craft, speedboat, superyacht, trimaran, tug, tugboat, watercraft, whaleboat, "
        "workboat"
    ),
    "motorcycle": (
        "delivery scooter, ducati, gas scooter, harley, harley-davidson, lambretta, minibike, motor cycle, motor "
        "scooter, motor-bike, motor-scooter, motorized scooter, petrol scooter, scooter, scrambler, touring scooter, "
        "vespa"
    ),
    "train": (
        "boxcar, caboose, diesel locomotive, electric locomotive, locomotive, maglev, monorail, rail carriage, "
        "railcar, railroad engine, railway carriage, railway engine, shunter, steam engine, steam locomotive, "
        "streetcar, tgv, train carriage, train engine, trainset, tramcar"
    ),
    "tennis court": "hardcourt, tennis facility, tennis-court",
    "baseball diamond": (
        "ballfield, ballpark, baseball complex, baseball facility, baseball sandlot, baseball stadium, high school "
        "ballfield, sandlot, softball complex"
    ),
    "basketball court": "basketball facility, basketball half-court, basketball playground, basketball-court",
    "ground track field": (
        "athletics arena, athletics circuit, athletics facility, athletics stadium, ground-track-field, racetrack, "
        "running circuit, track facility, track stadium, track-and-field stadium"
    ),
    "suitcase": (
        "briefcase, carry-on, hand-luggage, holdall, portmanteau, roll-aboard, rollaboard, samsonite, valise, "
        "weekender"
    ),
    "backpack": "bookbag, day sack, daysack, haversack, knapsack, packsack, schoolbag",
    "umbrella": "umbrella canopy",
    "bottle": "carafe, decanter, demijohn, flagon, phial, thermos, wine magnum",
    "dog": (
        "alsatian, basset hound, beagle, bloodhound, border collie, bulldog, chihuahua, cocker spaniel, collie, "
        "corgi, dachshund, dalmatian, doberman, doggo, foxhound, great dane, greyhound, hound, husky, jack russell, "
        "labrador, lapdog, lurcher, malamute, mastiff, mongrel, pekingese, pomeranian, pooch, pug, rottweiler, saint "
        "bernard, schnauzer, sheepdog, shih tzu, spaniel, st bernard, watchdog, whippet, wolfhound, yorkie"
    ),
    "cat": "british shorthair, housecat, kitten, maine coon, moggie, pussy-cat, shorthair, tomcat",
    "horse": (
        "bronco, carthorse, clydesdale, donkey, equine, mare, mule, packhorse, racehorse, steed, thoroughbred, "
        "warhorse"
    ),
    "sheep": "bighorn, ewe, merino",
    "cow": (
        "aberdeen angus, beef cattle, bison, buffalo, cattle, dairy cattle, friesian, heifer, holstein, longhorn, "
        "moo-cow, ox, shorthorn, water buffalo, yak, zebu"
    ),
    "bird": (
        "albatross, bird of prey, blackbird, buzzard, canary, chicken, cockerel, cormorant, dove, duckling, eagle, "
        "egret, falcon, finch, flamingo, fowl, goose, gosling, hawk, hen, heron, hummingbird, magpie, mallard, "
        "ostrich, owl, peacock, pelican, penguin, raven, rooster, seabird, skylark, stork, swan, vulture, waterbird, "
        "waterfowl, wildfowl, woodpecker"
    ),
    "image": "acquisition, capture, screenshot, snapshot",
}
_PLAIN = {synonym: noun for noun, synonyms in _SYNONYMS.items() for synonym in synonyms.split(", ")}
_LONGEST = max(len(synonym.split()) for synonym in _PLAIN)
_PLURALS = {
    "bench": "benches",
    "box": "boxes",
    "bus": "buses",
    "man": "men",
    "patch of forest": "patches of forest",
    "person": "people",
    "sheep": "sheep",
    "shelf": "shelves",
    "woman": "women",
}
_SINGULARS = (("ies", "y"), ("men", "man"), ("children", "child"), ("geese", "goose"), ("es", ""), ("s", ""))
_WORD = re.compile(r"[\w'’-]+")
# "Someone who left", but not "someone removed the bag".
_SOMEONE_DID = re.compile(r"(?<=someone|omebody)(?![?!.,]|$| (?:who|that|whom|in|on|at|near|by|with|new|else)\b)")
# What follows a noun that only describes another one: "the church tower", "individual houses".
_BEFORE_A_NOUN = re.compile(
    r" (?:towers?|paths?|tracks?|lanes?|parks?|parking|courts?|yards?|gardens?|doors?|windows?|roofs?|walls?|seats?|"
    r"clubs?|areas?|stations?|stops?|roads?|streets?|routes?|shops?|houses?|homes?|buildings?|blocks?|trees?|fields?|"
    r"plots?|lots?|lines?|schools?|services?|signs?|boards?|lights?|lamps?|posts?|poles?|tables?|chairs?|beds?|rooms?|"
    r"halls?|bells?|steps?|spires?|cars?|trucks?|vans?|boats?|ships?|planes?|bikes?|bags?|boxes|parts?|pieces|items|"
    r"objects|things|crossings?|playgrounds?|grounds?|centers?|centres?|owners?|drivers?|tenders?|bridges?)\b"
)


def plain_nouns(text: str) -> str:
    """
    Replaces rare nouns by plain ones.

    Args:
        text (`str`): A sentence.

    Returns:
        `str`: The sentence; "an edifice near the wharfs" becomes "a building near the harbors".
    """
    words = list(_WORD.finditer(text))
    parts, end, index = [], 0, 0
    while index < len(words):
        length, noun = _noun_at(text, words[index : index + _LONGEST])
        if noun is not None:
            before = text[end : words[index].start()]
            ending = "n" if noun[0] in "aeiou" else ""
            parts += [re.sub(r"\b([aA])n? $", rf"\1{ending} ", before), noun]
            end = words[index + length - 1].end()
        index += length
    return "".join((*parts, text[end:])) if parts else text


def _noun_at(text: str, words: list[re.Match[str]]) -> tuple[int, str | None]:
    """How many of these words are a rare noun, and the plain one; 1 and `None` if there is none at their beginning."""
    for length in range(len(words), 0, -1):
        rare = text[words[0].start() : words[length - 1].end()].lower()
        if rare in _PLAIN:
            lowered, after = text.lower(), words[0].end()
            describes = length == 1 and (_BEFORE_A_NOUN.match(lowered, after) or _SOMEONE_DID.match(lowered, after))
            return (1, None) if describes else (length, _PLAIN[rare])
        for ending, singular in _SINGULARS:
            noun = _PLAIN.get(rare.removesuffix(ending) + singular) if rare.endswith(ending) else None
            if noun is not None:
                return length, _PLURALS.get(noun, f"{noun}s")
    return 1, None
