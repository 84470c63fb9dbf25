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


def _noun(
    name: str, group: str, train: str = "", reworded: str = "", also: str = "", domain: str | None = None
) -> Noun:
    return Noun(name, group, listed(also), {"train": listed(train), "reworded": listed(reworded)}, domain)


NOUNS: tuple[Noun, ...] = (
    # Kinds of the generator.
    _noun(
        "house",
        "building",
        "cabin, farmhouse, townhouse, single-family home, private house, mansion, lodge, suburban house, home, "
        "dwelling, bungalow, family home, detached house, residential house, homestead, chalet, "
        "dwelling house, family house",
        "residence, cottage",
        also="villa",
    ),
    _noun(
        "warehouse",
        "building",
        "industrial hall, storage shed, logistics building, shed, storehouse, storage building, "
        "storage hall, logistics hall, storage house, stockroom",
        "depot, distribution centre",
    ),
    _noun(
        "greenhouse",
        "building",
        "plastic tunnel, growing house, greenhouse tunnel, glasshouse, glass house, polytunnel",
        "hothouse",
    ),
    _noun(
        "building",
        "building",
        "structure, construction, block, built-up structure",
        "edifice",
        domain="RS",
    ),
    _noun(
        "building",
        "building",
        "office block, block of flats, skyscraper, apartment block, tower block, apartment building, high-rise, "
        "multi-storey building",
        "edifice, tenement",
        domain="NS",
    ),
    _noun("vehicle", "vehicle", "wheeled vehicle, motor vehicle, road vehicle", "means of transport"),
    _noun(
        "car",
        "vehicle",
        "station wagon, sports car, convertible, four-door car, automobile, auto, sedan, hatchback, "
        "motor car, passenger car, family car, coupe, saloon, private car",
        "motorcar, SUV, estate",
    ),
    _noun(
        "truck",
        "vehicle",
        "dump truck, tipper, flatbed truck, semi truck, trailer truck, lorry, heavy truck, freight truck, "
        "delivery truck, cargo truck, pickup truck, goods truck",
        "HGV, big rig",
    ),
    _noun(
        "bus",
        "vehicle",
        "double-decker, shuttle bus, school bus, tour bus, coach, public bus, city bus, passenger bus, motor bus",
        "minibus, omnibus",
    ),
    _noun(
        "bicycle",
        "bicycle",
        "mountain bike, city bike, road bike, bike, push bike, two-wheeled bike",
        "cycle, pushbike",
    ),
    _noun(
        "person", "person", "bystander, figure, adult, pedestrian, passer-by, human, human being", "individual, walker"
    ),
    _noun("man", "person", "guy, gentleman, fellow", "bloke, chap"),
    _noun("woman", "person", "lady", "gal"),
    _noun("tree", "tree", "tall tree, conifer, street tree, garden tree, tree, shade tree, leafy tree", ""),
    _noun(
        "patch of forest",
        "tree",
        "patch of woods, patch of trees, stand of trees, wooded patch, clump of trees, wood, wooded area, woodland, "
        "copse, piece of woodland, forest, stretch of forest, bit of woodland",
        "grove, thicket",
        also="patch of woodland",
    ),
    _noun(
        "field",
        "land",
        "crop plot, paddock, plot of cropland, tract of farmland, cornfield, wheat field, farm field, "
        "plot of farmland, piece of farmland, farmed plot, crop field, farmland field, "
        "patch of farmland, agricultural field",
        "arable strip, acre",
        also="patch of cropland",
    ),
    _noun(
        "pond",
        "land",
        "duck pond, garden pond, village pond, watering hole, small lake, lake, fishpond, body of water, water body",
        "waterhole, lagoon",
    ),
    _noun(
        "pool",
        "pool",
        "open-air pool, outdoor swimming pool, lap pool, backyard swimming pool, backyard pool, bathing pool, "
        "garden pool, outdoor pool, private pool",
        "swimming bath, lido",
        also="swimming pool",
    ),
    _noun(
        "road",
        "road",
        "asphalt road, highway, route, main road, motor road, street, roadway, stretch of road, carriageway, "
        "thoroughfare",
        "lane, avenue",
    ),
    _noun(
        "box",
        "object",
        "storage box, shipping box, container, carton, cardboard box, package, parcel, packing box",
        "crate, chest",
    ),
    _noun(
        "bin",
        "object",
        "waste container, trash container, litter basket, garbage can, trash can, rubbish bin, waste bin, "
        "litter bin, garbage bin, rubbish can",
        "dustbin, wastebasket",
        also="trash bin",
    ),
    _noun(
        "sign",
        "object",
        "information sign, billboard, nameplate, signboard, signpost, sign board, street sign",
        "placard",
    ),
    _noun("bench", "object", "bench seat, garden seat, seating bench, park bench, public bench, long seat", ""),
    _noun("door", "object", "room door, door panel, doorway, front door, entrance door", "entryway"),
    _noun(
        "shelf",
        "object",
        "shelf unit, wall shelf, storage shelf, bookshelf, bookcase, shelving unit, set of shelves",
        "rack",
    ),
    _noun(
        "lamp",
        "object",
        "ceiling light, light bulb, lampshade, light, light fixture, reading lamp, electric light",
        "lantern",
    ),
    _noun("chair", "object", "side chair, office chair, seat, dining chair, stool", "armchair"),
    _noun("table", "object", "work table, counter, coffee table, side table, worktop, tabletop", "desk"),
    _noun("plant", "object", "house plant, foliage plant, flower, houseplant, pot plant, indoor plant", "shrub"),
    _noun(
        "picture",
        "object",
        "wall art/pieces of wall art, drawing, painting, framed picture, wall picture, framed painting",
        "artwork, poster",
    ),
    _noun(
        "bag",
        "object",
        "travel bag, duffel bag, gym bag, pouch, tote, shopping bag, tote bag, carrier bag, satchel",
        "sack, holdall",
    ),
    # Things seen from above.
    _noun("storage tank", "structure", "tank, oil tank, fuel tank, storage vessel", "silo, reservoir"),
    _noun("baseball diamond", "structure", "baseball field, baseball pitch", "ballpark"),
    _noun("tennis court", "structure", "court for tennis/courts for tennis, tennis ground", "tennis facility"),
    _noun(
        "basketball court",
        "structure",
        "court for basketball/courts for basketball, basketball ground",
        "basketball facility",
    ),
    _noun("ground track field", "structure", "running track, athletics track, sports track", "stadium, racecourse"),
    _noun("bridge", "structure", "road bridge, overpass, footbridge", "viaduct, flyover"),
    _noun("harbor", "structure", "port, dock, marina", "wharf, quay", also="harbour"),
    _noun("ship", "ship", "vessel, cargo ship, freighter, barge", "tanker, ferry"),
    _noun("airplane", "plane", "plane, aircraft, jet, passenger plane", "airliner, jetliner", also="aeroplane"),
    # Remaining classes of COCO.
    _noun("motorcycle", "bicycle", "motorbike, motor bike", "scooter, chopper"),
    _noun("train", "vehicle", "railway train, passenger train", "locomotive"),
    _noun("boat", "ship", "small boat, rowing boat, motorboat, sailing boat", "dinghy, watercraft"),
    _noun("traffic light", "object", "stoplight, traffic signal, stop light", ""),
    _noun("fire hydrant", "object", "hydrant, water hydrant", "fireplug"),
    _noun("stop sign", "object", "octagonal stop sign", "halt sign"),
    _noun("parking meter", "object", "meter, meter for parking/meters for parking", ""),
    _noun("bird", "animal", "winged animal, feathered animal", "fowl"),
    _noun("cat", "animal", "kitty, pussycat, house cat", "kitten, tomcat"),
    _noun("dog", "animal", "doggy, puppy, pet dog", "hound, pooch"),
    _noun("horse", "animal", "pony, riding horse, stallion", "mare, steed"),
    _noun("sheep", "animal", "lamb, farm sheep", "ewe, ram"),
    _noun("cow", "animal", "bull, calf, dairy cow", "heifer, ox/oxen"),
    _noun("elephant", "animal", "wild elephant", "pachyderm"),
    _noun("bear", "animal", "wild bear", "grizzly"),
    _noun("zebra", "animal", "wild zebra", "striped equine"),
    _noun("giraffe", "animal", "wild giraffe", "long-necked ruminant"),
    _noun("backpack", "object", "rucksack, back pack, school bag", "knapsack, haversack"),
    _noun("umbrella", "object", "brolly, parasol, sunshade", "gamp"),
    _noun("handbag", "object", "purse, hand bag, shoulder bag", "clutch"),
    _noun("tie", "object", "necktie, neck tie", "cravat"),
    _noun("suitcase", "object", "travel case, piece of luggage, trunk", "valise, portmanteau"),
    _noun("frisbee", "object", "flying disc, frisbee disc", ""),
    _noun("skis", "object", "pair of skis, ski/skis", "set of skiing gear"),
    _noun("snowboard", "object", "snow board", ""),
    _noun("sports ball", "object", "ball, soccer ball, football, basketball", "volleyball"),
    _noun("kite", "object", "flying kite", "stunt kite"),
    _noun("baseball bat", "object", "bat", "slugger"),
    _noun("baseball glove", "object", "baseball mitt, catcher's mitt", "fielding glove"),
    _noun("skateboard", "object", "skate board", "longboard"),
    _noun("surfboard", "object", "surf board, surfing board", "bodyboard"),
    _noun("tennis racket", "object", "racket, tennis racquet, racquet", "tennis paddle"),
    _noun("bottle", "object", "flask, glass bottle, water bottle, plastic bottle", "carafe, flagon"),
    _noun("wine glass", "object", "glass, goblet, stemmed glass", "chalice"),
    _noun("cup", "object", "mug, coffee cup, teacup, tea cup", "beaker, tumbler"),
    _noun("fork", "object", "dinner fork, table fork", "fork utensil"),
    _noun("knife", "object", "table knife, kitchen knife, blade", "cutter"),
    _noun("spoon", "object", "teaspoon, tablespoon, soup spoon", "ladle"),
    _noun("bowl", "object", "soup bowl, dish, salad bowl", "basin"),
    _noun("banana", "object", "banana fruit", "plantain"),
    _noun("apple", "object", "piece of fruit", "pippin"),
    _noun("sandwich", "object", "sandwich roll, toasted sandwich", "panini, baguette"),
    _noun("orange", "object", "citrus fruit", "clementine"),
    _noun("broccoli", "object", "piece of broccoli", "broccoli floret"),
    _noun("carrot", "object", "piece of carrot", "carrot stick"),
    _noun("hot dog", "object", "hotdog, sausage in a bun/sausages in buns", "frankfurter"),
    _noun("pizza", "object", "slice of pizza, pizza pie", "margherita"),
    _noun("donut", "object", "doughnut, ring doughnut", "cruller"),
    _noun("cake", "object", "birthday cake, layer cake, piece of cake", "gateau, torte"),
    _noun("couch", "object", "sofa, settee, corner sofa", "davenport, chesterfield"),
    _noun("potted plant", "object", "plant in a pot/plants in pots, flowerpot, flower pot", "planter"),
    _noun("bed", "object", "bedstead", "cot, bunk"),
    _noun("dining table", "object", "dinner table, kitchen table, eating table", "banquet table"),
    _noun("toilet", "object", "toilet bowl, toilet seat, loo", "lavatory, commode"),
    _noun("tv", "object", "television, TV set, television set, telly, flat screen", "flatscreen, tube"),
    _noun("laptop", "object", "notebook computer, laptop computer, portable computer", "macbook, netbook"),
    _noun("mouse", "object", "computer mouse", "pointing device"),
    _noun("remote", "object", "remote control, tv remote control", "zapper, clicker"),
    _noun("keyboard", "object", "computer keyboard", "keypad"),
    _noun("cell phone", "object", "mobile phone, smartphone, phone, cellphone, mobile", "handset, iphone"),
    _noun("microwave", "object", "microwave oven", "microwave appliance"),
    _noun("oven", "object", "stove, kitchen stove, cooker", "cooking range"),
    _noun("toaster", "object", "bread toaster", "toasting appliance"),
    _noun("sink", "object", "washstand, kitchen sink", "washbowl"),
    _noun("refrigerator", "object", "fridge, refrigerator unit, fridge freezer", "icebox"),
    _noun("book", "object", "paperback, hardback, printed book", "novel, tome"),
    _noun("clock", "object", "wall clock, alarm clock", "timepiece"),
    _noun("vase", "object", "flower vase, glass vase", "urn, amphora"),
    _noun("scissors", "object", "pair of scissors", "shears/shears"),
    _noun("teddy bear", "object", "teddy, stuffed bear, toy bear", "plush bear"),
    _noun("hair drier", "object", "hair dryer, hairdryer", "blow-dryer"),
    _noun("toothbrush", "object", "tooth brush", ""),
)


def forms_of(entry: str) -> tuple[str, str]:
    """Singular and plural of an entry. An irregular plural follows a slash ("shelf/shelves")."""
    singular, _, plural = entry.partition("/")
    return singular, plural or plural_of(singular)
