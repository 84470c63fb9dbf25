# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Synonyms for things.

Each synonym belongs to one noun only, so that it can be parsed back. Hyponyms are allowed if they fit no other noun of
the table: "hatchback" is a car and nothing else.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias


Split: TypeAlias = Literal["train", "reworded"]
Words: TypeAlias = dict[Split, tuple[str, ...]]

_IRREGULAR = {
    "person": "people",
    "human": "humans",
    "man": "men",
    "woman": "women",
    "shelf": "shelves",
    "bookshelf": "bookshelves",
    "knife": "knives",
    "mouse": "mice",
    "sheep": "sheep",
    "scissors": "scissors",
    "skis": "skis",
    "aircraft": "aircraft",
    "watercraft": "watercraft",
    "passer-by": "passers-by",
    "means": "means",
    "calf": "calves",
    "broccoli": "broccoli",
    "stand": "stands",
}


def plural_of(noun: str) -> str:
    """Plural of a noun of one or more words: "plots of farmland", "trash bins"."""
    head, *rest = noun.split(" of ", 1)
    before, _, last = head.rpartition(" ")
    if last in _IRREGULAR:
        last = _IRREGULAR[last]
    elif last.endswith(("s", "x", "ch", "sh")):
        last += "es"
    elif last.endswith("y") and last[-2:-1] not in "aeiou":
        last = last[:-1] + "ies"
    else:
        last += "s"
    return " of ".join([f"{before} {last}".strip(), *rest])


def listed(text: str) -> tuple[str, ...]:
    """Splits a comma-separated list into its entries."""
    return tuple(entry.strip() for entry in text.split(",") if entry.strip())


@dataclass(frozen=True)
class Noun:
    """
    A noun and its synonyms.

    Args:
        name (`str`): Singular, as in the input sentences.
        group (`str`): Key of the tables of changes, which determines the verbs: "building", "vehicle", "object", …
        also (`tuple[str, ...]`): Further singulars that occur in input sentences.
        words (`Words`): Synonyms in the singular, by split.
        domain (`str`, *optional*): "NS" or "RS" if the noun has this meaning in that domain only.
    """

    name: str
    group: str
    also: tuple[str, ...]
    words: Words
    domain: str | None = None


def noun(
    name: str, group: str, train: str = "", reworded: str = "", also: str = "", domain: str | None = None
) -> Noun:
    """Builds a noun; synonyms and further singulars are comma-separated. See [`Noun`] for the arguments."""
    return Noun(name, group, listed(also), {"train": listed(train), "reworded": listed(reworded)}, domain)


GENERATOR_NOUNS: tuple[Noun, ...] = (
    noun(
        "house",
        "building",
        "cabin, farmhouse, townhouse, single-family home, private house, mansion, lodge, suburban house, home, "
        "dwelling, bungalow, family home, detached house, residential house, homestead, chalet, dwelling house, "
        "family house, residential building, dwelling place, detached home, one-family house, country house, "
        "row house, terraced house, village house, farm house, habitation, domicile, villa house, house building, "
        "housing unit",
        "residence, cottage",
        also="villa",
    ),
    noun(
        "warehouse",
        "building",
        "industrial hall, storage shed, logistics building, shed, storehouse, storage building, storage hall, "
        "logistics hall, storage house, stockroom, goods shed, storage warehouse, freight shed, factory hall, "
        "factory building, industrial building, industrial shed, industrial unit, hangar, goods store, "
        "flat-roofed hall, commercial hall, storage barn",
        "depot, distribution centre",
    ),
    noun(
        "greenhouse",
        "building",
        "plastic tunnel, growing house, greenhouse tunnel, glasshouse, glass house, polytunnel, plant house, "
        "plastic greenhouse, glass building, glass tunnel, foil tunnel, film tunnel, hoop house, growing tunnel, "
        "plant tunnel, garden glasshouse, glass shed, conservatory, nursery tunnel",
        "hothouse",
    ),
    noun(
        "building",
        "building",
        "structure, construction, block, built-up structure, built structure, property/properties, "
        "permanent structure, man-made structure, "
        "piece of architecture",
        "edifice",
        domain="RS",
    ),
    noun(
        "building",
        "building",
        "office block, block of flats, skyscraper, apartment block, tower block, apartment building, high-rise, "
        "multi-storey building, tower, high-rise building, high-rise block, office building, office tower, "
        "apartment house, housing block, residential block, city building, multistorey block, construction, "
        "built structure, town building, street building",
        "edifice, tenement",
        domain="NS",
    ),
    noun(
        "vehicle",
        "vehicle",
        "wheeled vehicle, motor vehicle, road vehicle, automotive vehicle, motorised vehicle, wheeled machine, "
        "conveyance, vehicle on wheels/vehicles on wheels, set of wheels/sets of wheels",
        "means of transport",
    ),
    noun(
        "car",
        "vehicle",
        "station wagon, sports car, convertible, four-door car, automobile, auto, sedan, hatchback, motor car, "
        "passenger car, family car, coupe, saloon, private car, limousine, limo, five-door car, four-door, "
        "cabriolet, roadster, taxi, cab, racing car, city car, electric car, personal car, four-seater, "
        "people carrier",
        "motorcar, SUV, estate",
    ),
    noun(
        "truck",
        "vehicle",
        "dump truck, tipper, flatbed truck, semi truck, trailer truck, lorry, heavy truck, freight truck, "
        "delivery truck, cargo truck, pickup truck, goods truck, box truck, heavy lorry, articulated lorry, "
        "tractor-trailer, semi-trailer, eighteen-wheeler, dumper, garbage truck, fire truck, tow truck, "
        "moving truck, removal lorry, goods lorry, goods vehicle, heavy goods vehicle, cargo vehicle, haulage truck, "
        "pickup, juggernaut",
        "HGV, big rig",
    ),
    noun(
        "bus",
        "vehicle",
        "double-decker, shuttle bus, school bus, tour bus, coach, public bus, city bus, passenger bus, motor bus, "
        "motor coach, motorcoach, long-distance bus, transit bus, service bus, sightseeing bus, articulated bus, "
        "bendy bus, double-decker bus, single-decker, commuter bus, passenger coach, town bus, touring coach, "
        "airport bus",
        "minibus, omnibus",
    ),
    noun(
        "bicycle",
        "bicycle",
        "mountain bike, city bike, road bike, bike, push bike, two-wheeled bike, racing bike, touring bike, "
        "two-wheeler, trekking bike, street bike, bmx bike, roadbike, hybrid bike, commuter bike, children's bike",
        "cycle, pushbike",
    ),
    noun(
        "person",
        "person",
        "bystander, figure, adult, pedestrian, passer-by, human, human being, human figure, foot passenger, "
        "person on foot/people on foot, member of the public/members of the public, passerby/passersby, visitor, "
        "onlooker, grown-up, citizen",
        "individual, walker",
    ),
    noun(
        "man",
        "person",
        "guy, gentleman, fellow, male, male person/male people, male figure, dude, male adult, lad, male pedestrian, "
        "gent",
        "bloke, chap",
    ),
    noun(
        "woman",
        "person",
        "lady, female, female person/female people, female figure, female adult, lass, female pedestrian, young lady",
        "gal",
    ),
    noun(
        "tree",
        "tree",
        "tall tree, conifer, street tree, garden tree, tree, shade tree, leafy tree, pine, pine tree, fir, fir tree, "
        "oak, oak tree, maple, birch, spruce, poplar, elm, willow, evergreen, deciduous tree, broadleaf, park tree, "
        "roadside tree, fruit tree, lone tree, sapling",
        "",
    ),
    noun(
        "patch of forest",
        "tree",
        "patch of woods, patch of trees, stand of trees, wooded patch, clump of trees, wood, wooded area, woodland, "
        "copse, piece of woodland, forest, stretch of forest, bit of woodland, block of forest, area of forest, "
        "forested area, forest patch, woodland patch, piece of forest, tree stand, forest stand, cluster of trees, "
        "collection of trees, mass of trees, woodlot, spinney, plot of woodland, tract of woodland, bit of forest, "
        "forested plot, tree-covered area, wooded plot, woody patch, coppice",
        "grove, thicket",
        also="patch of woodland",
    ),
    noun(
        "field",
        "land",
        "crop plot, paddock, plot of cropland, tract of farmland, cornfield, wheat field, farm field, "
        "plot of farmland, piece of farmland, farmed plot, crop field, farmland field, patch of farmland, "
        "agricultural field, agricultural plot, agricultural area, agricultural parcel, cultivated plot, "
        "cultivated area, cultivated field, parcel of farmland, parcel of cropland, piece of cropland, farming plot, "
        "farm plot, farmland plot, farmland parcel, cropland plot, cropland parcel, patch of crops, "
        "plot with crops/plots with crops, stretch of cropland, stretch of farmland, grain field, corn field, "
        "rapeseed field, maize field, barley field, area of farmland, area of cropland, farmed area, farmed field",
        "arable strip, acre",
        also="patch of cropland",
    ),
    noun(
        "pond",
        "land",
        "duck pond, garden pond, village pond, watering hole, small lake, lake, fishpond, body of water, water body, "
        "fish pond, natural pond, little lake, stretch of water, patch of water, area of water, expanse of water, "
        "sheet of water, millpond, lily pond, farm pond",
        "waterhole, lagoon",
    ),
    noun(
        "pool",
        "pool",
        "open-air pool, outdoor swimming pool, lap pool, backyard swimming pool, backyard pool, bathing pool, "
        "garden pool, outdoor pool, private pool, in-ground pool, garden swimming pool, home pool, back garden pool, "
        "outdoor bathing pool, open-air swimming pool, private swimming pool, family pool, rectangular pool, "
        "plunge pool, swim pool, splash pool, hotel pool, leisure pool, water pool",
        "swimming bath, lido",
        also="swimming pool",
    ),
    noun(
        "road",
        "road",
        "asphalt road, highway, route, main road, motor road, street, roadway, stretch of road, carriageway, "
        "thoroughfare, motorway, freeway, byway, country road, side road, back road, minor road, access road, "
        "connecting road, track for cars/tracks for cars, street for cars/streets for cars, boulevard, "
        "arterial road, stretch of street, traffic artery, turnpike, expressway, traffic route, public road",
        "lane, avenue",
    ),
    noun(
        "box",
        "object",
        "storage box, shipping box, container, carton, cardboard box, package, parcel, packing box, case, "
        "packing case, packing carton, paper box, moving box, removal box, cardboard carton, cardboard package, "
        "cardboard container, delivery box, mail parcel, packet, paperboard box, storage container, storage case, "
        "storage carton",
        "crate, chest",
    ),
    noun(
        "bin",
        "object",
        "waste container, trash container, litter basket, garbage can, trash can, rubbish bin, waste bin, "
        "litter bin, garbage bin, rubbish can, rubbish container, refuse bin, refuse container, wheelie bin, "
        "waste basket, waste paper bin, paper bin, litter container, garbage container, garbage pail, trash basket, "
        "trash barrel, trash receptacle, trashcan, recycling bin, bin for rubbish/bins for rubbish, dumpster, "
        "waste receptacle, litter receptacle",
        "dustbin, wastebasket",
        also="trash bin",
    ),
    noun(
        "sign",
        "object",
        "information sign, billboard, nameplate, signboard, signpost, sign board, street sign, road sign, "
        "traffic sign, warning sign, direction sign, shop sign, advertising sign, advertising board, hoarding, "
        "information board, display board, panel with writing/panels with writing, sign panel, "
        "sign on a pole/signs on poles, guidepost, signage board, sign plate, plaque, advert, lettered board",
        "placard",
    ),
    noun(
        "bench",
        "object",
        "bench seat, garden seat, seating bench, park bench, public bench, long seat, sitting bench, outdoor bench, "
        "street bench, bench to sit on/benches to sit on, garden bench, outdoor seat, pew, public seat, long bench, "
        "sitting place",
        "",
    ),
    noun(
        "door",
        "object",
        "room door, door panel, doorway, front door, entrance door, door leaf/door leaves, interior door, "
        "house door, entry door, entrance, panel door, hinged door, swing door, inner door, side door, "
        "main door, portal",
        "entryway",
    ),
    noun(
        "shelf",
        "object",
        "shelf unit, wall shelf, storage shelf, bookshelf, bookcase, shelving unit, set of shelves, bookstand, "
        "shelf board, book shelf/book shelves, shelf for books/shelves for books, wall unit, hanging shelf, "
        "open shelf, display shelf, stack of shelves/stacks of shelves, unit of shelves/units of shelves, "
        "corner shelf, ledge, piece of storage furniture",
        "rack",
    ),
    noun(
        "lamp",
        "object",
        "ceiling light, light bulb, lampshade, light, light fixture, reading lamp, electric light, bulb, lightbulb, "
        "hanging lamp, pendant lamp, pendant light, ceiling lamp, table lamp, floor lamp, standard lamp, "
        "standing lamp, wall lamp, bedside lamp, luminaire, lamp fitting, light fitting, electric lamp, "
        "light source, source of light, lighting fixture, chandelier, room light",
        "lantern",
    ),
    noun(
        "chair",
        "object",
        "side chair, office chair, seat, dining chair, stool, swivel chair, kitchen chair, folding chair, "
        "easy chair, lounge chair, dinner chair, seat with a back/seats with backs, "
        "piece of seating furniture, place to sit/places to sit, single seat, high-backed chair, "
        "recliner, barstool, bar stool, folding seat",
        "armchair",
    ),
    noun(
        "table",
        "object",
        "work table, counter, coffee table, side table, worktop, tabletop, writing table, study table, "
        "bedside table, console table, office table, living room table, tea table, work surface, workbench, "
        "low table, four-legged table, counter top, countertop, occasional table",
        "desk",
    ),
    noun(
        "plant",
        "object",
        "house plant, foliage plant, flower, houseplant, pot plant, indoor plant, decorative plant, "
        "ornamental plant, leafy houseplant, room plant, green plant, piece of indoor greenery, "
        "piece of greenery, fern, flowering plant, bush, ficus, window plant, living plant",
        "shrub",
    ),
    noun(
        "picture",
        "object",
        "piece of wall art, drawing, painting, framed picture, wall picture, framed painting, canvas, "
        "piece of framed art, wall painting, wall hanging, framed photo, framed photograph, "
        "hanging picture, wall decoration, portrait, landscape painting, print on the wall/prints on the wall, "
        "framed print, oil painting, piece of art, wall print, framed image",
        "artwork, poster",
    ),
    noun(
        "bag",
        "object",
        "travel bag, duffel bag, gym bag, pouch, tote, shopping bag, tote bag, carrier bag, satchel, sports bag, "
        "carry bag, carryall, kitbag, kit bag, canvas bag, cloth bag, paper bag, plastic bag, beach bag, "
        "weekend bag, overnight bag, messenger bag, sling bag, grocery bag, leather bag, "
        "bag with handles/bags with handles, duffel",
        "sack, holdall",
    ),
)
"""Kinds of the generator."""


def forms_of(entry: str) -> tuple[str, str]:
    """Singular and plural of an entry. An irregular plural follows a slash ("shelf/shelves")."""
    singular, _, plural = entry.partition("/")
    return singular, plural or plural_of(singular)
