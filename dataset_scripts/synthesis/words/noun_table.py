# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The table of all nouns: those of the generator, of things seen from above, and of the classes of COCO."""

from .nouns import GENERATOR_NOUNS, Noun, noun


_SEEN_FROM_ABOVE = (
    noun(
        "storage tank",
        "structure",
        "tank, oil tank, fuel tank, storage vessel, gas tank, liquid tank, holding tank, round tank, "
        "cylindrical tank, industrial tank, water tank, tank container, cistern",
        "silo, reservoir",
    ),
    noun(
        "baseball diamond",
        "structure",
        "baseball field, baseball pitch, baseball ground, ball field, baseball park, "
        "diamond for baseball/diamonds for baseball, infield",
        "ballpark",
    ),
    noun(
        "tennis court",
        "structure",
        "court for tennis/courts for tennis, tennis ground, tennis field, tennis pitch, tennis yard",
        "tennis facility",
    ),
    noun(
        "basketball court",
        "structure",
        "court for basketball/courts for basketball, basketball ground, basketball field, basketball pitch, "
        "basketball yard, hoop court",
        "basketball facility",
    ),
    noun(
        "ground track field",
        "structure",
        "running track, athletics track, sports track, athletics ground, athletics field, running oval, race track, "
        "sports oval, sports ground, track and field ground",
        "stadium, racecourse",
    ),
    noun(
        "bridge",
        "structure",
        "road bridge, overpass, footbridge, crossing, river bridge, highway bridge, pedestrian bridge, "
        "road crossing, road over water/roads over water, overbridge, span",
        "viaduct, flyover",
    ),
    noun(
        "harbor",
        "structure",
        "port, dock, marina, dockyard, boat harbor, landing stage, pier, mooring place, seaport, haven",
        "wharf, quay",
        also="harbour",
    ),
    noun(
        "ship",
        "ship",
        "vessel, cargo ship, freighter, barge, sea vessel, seagoing vessel, container ship, cargo vessel, "
        "freight ship, ocean liner, steamer, steamship, sailing ship, ocean vessel, merchant ship",
        "tanker, ferry",
    ),
    noun(
        "airplane",
        "plane",
        "plane, aircraft, jet, passenger plane, air plane, jet plane, jet aircraft, passenger aircraft, "
        "passenger jet, flying machine, propeller plane, winged aircraft, turboprop",
        "airliner, jetliner",
        also="aeroplane",
    ),
)
_COCO = (  # Without the generator's kinds.
    noun(
        "motorcycle",
        "bicycle",
        "motorbike, motor bike, moped, motorized bike, motorised bike, dirt bike, touring motorbike, superbike",
        "scooter, chopper",
    ),
    noun(
        "train",
        "vehicle",
        "railway train, passenger train, railway, commuter train, express train, rail vehicle, "
        "string of carriages/strings of carriages, subway train, tram train, freight train",
        "locomotive",
    ),
    noun(
        "boat",
        "ship",
        "small boat, rowing boat, motorboat, sailing boat, rowboat, sailboat, yacht, fishing boat, canoe, kayak, "
        "skiff, motor boat, pleasure boat, houseboat",
        "dinghy, watercraft",
    ),
    noun(
        "traffic light",
        "object",
        "stoplight, traffic signal, stop light, set of traffic lights/sets of traffic lights, stop-and-go light, "
        "traffic lamp, signal light, road signal, street signal",
        "",
    ),
    noun(
        "fire hydrant", "object", "hydrant, water hydrant, street hydrant, fire plug, water plug, fire tap", "fireplug"
    ),
    noun(
        "stop sign",
        "object",
        "octagonal stop sign, red octagonal sign, stop plate, octagon sign, sign to stop/signs to stop",
        "halt sign",
    ),
    noun(
        "parking meter",
        "object",
        "meter, meter for parking/meters for parking, coin meter, parking machine, street meter",
        "",
    ),
    noun(
        "bird",
        "animal",
        "winged animal, feathered animal, songbird, sparrow, pigeon, gull, seagull, crow, duck, parrot, "
        "feathered creature, winged creature",
        "fowl",
    ),
    noun(
        "cat",
        "animal",
        "kitty, pussycat, house cat, feline, tabby, pet cat, domestic cat, moggy, puss, kitty cat",
        "kitten, tomcat",
    ),
    noun(
        "dog",
        "animal",
        "doggy, puppy, pet dog, canine, pup, mutt, domestic dog, retriever, terrier, poodle, shepherd dog, doggie",
        "hound, pooch",
    ),
    noun(
        "horse",
        "animal",
        "pony, riding horse, stallion, foal, colt, mustang, gelding, saddle horse, workhorse",
        "mare, steed",
    ),
    noun(
        "sheep",
        "animal",
        "lamb, farm sheep, woolly animal, woolly sheep, grazing sheep, farm lamb, little lamb",
        "ewe, ram",
    ),
    noun(
        "cow",
        "animal",
        "bull, calf, dairy cow, milk cow, farm cow, bovine, bullock, steer, grazing cow",
        "heifer, ox/oxen",
    ),
    noun("elephant", "animal", "wild elephant, tusker, trunked animal, african elephant, baby elephant", "pachyderm"),
    noun("bear", "animal", "wild bear, bruin, furry bear", "grizzly"),
    noun("zebra", "animal", "wild zebra, african zebra, zebra animal, grazing zebra", "striped equine"),
    noun(
        "giraffe",
        "animal",
        "wild giraffe, tall giraffe, african giraffe, giraffe animal, long-legged animal",
        "long-necked ruminant",
    ),
    noun(
        "backpack",
        "object",
        "rucksack, back pack, school bag, daypack, day pack, hiking backpack, hiking pack, back-pack",
        "knapsack, haversack",
    ),
    noun(
        "umbrella",
        "object",
        "brolly, parasol, sunshade, rain umbrella, rain shade, beach umbrella, sun umbrella, rain shield",
        "gamp",
    ),
    noun(
        "handbag",
        "object",
        "purse, hand bag, shoulder bag, lady's bag, ladies' bag, evening bag, pocketbook, hand-bag, vanity bag",
        "clutch",
    ),
    noun("tie", "object", "necktie, neck tie, bow tie, business tie, silk tie, piece of neckwear", "cravat"),
    noun(
        "suitcase",
        "object",
        "travel case, piece of luggage, trunk, travelling case, rolling suitcase, trolley case, luggage case, "
        "wheeled suitcase, baggage case, piece of luggage",
        "valise, portmanteau",
    ),
    noun("frisbee", "object", "flying disc, frisbee disc, flying saucer, throwing disc, plastic disc, toy disc", ""),
    noun(
        "skis",
        "object",
        "pair of skis, ski/skis, alpine ski/alpine skis, pair of snow skis, snow ski/snow skis",
        "set of skiing gear",
    ),
    noun("snowboard", "object", "snow board, snow surfing board, board for snow/boards for snow, freestyle board", ""),
    noun(
        "sports ball",
        "object",
        "ball, soccer ball, football, basketball, tennis ball, baseball ball, beach ball, toy ball, rugby ball, "
        "playing ball",
        "volleyball",
    ),
    noun(
        "kite",
        "object",
        "flying kite, paper kite, toy kite, dragon kite, kite on a string/kites on strings",
        "stunt kite",
    ),
    noun("baseball bat", "object", "bat, wooden bat, ball bat, club for baseball/clubs for baseball", "slugger"),
    noun(
        "baseball glove",
        "object",
        "baseball mitt, catcher's mitt, mitt, catching glove, leather mitt",
        "fielding glove",
    ),
    noun(
        "skateboard",
        "object",
        "skate board, board on wheels/boards on wheels, board with wheels/boards with wheels, skater's board, "
        "wheeled board",
        "longboard",
    ),
    noun(
        "surfboard",
        "object",
        "surf board, surfing board, wave board, board for surfing/boards for surfing, surfer's board",
        "bodyboard",
    ),
    noun(
        "tennis racket",
        "object",
        "racket, tennis racquet, racquet, tennis bat, racket for tennis/rackets for tennis, stringed racket",
        "tennis paddle",
    ),
    noun(
        "bottle",
        "object",
        "flask, glass bottle, water bottle, plastic bottle, drink bottle, drinking bottle, wine bottle, beer bottle, "
        "milk bottle, vial",
        "carafe, flagon",
    ),
    noun(
        "wine glass",
        "object",
        "glass, goblet, stemmed glass, glass for wine/glasses for wine, stem glass, wineglass, red wine glass, "
        "champagne glass, flute glass",
        "chalice",
    ),
    noun(
        "cup",
        "object",
        "mug, coffee cup, teacup, tea cup, drinking cup, paper cup, tea mug, coffee mug, "
        "cup with a handle/cups with handles",
        "beaker, tumbler",
    ),
    noun("fork", "object", "dinner fork, table fork, salad fork, dining fork, cake fork, eating fork", "fork utensil"),
    noun(
        "knife",
        "object",
        "table knife, kitchen knife, blade, steak knife, butter knife, carving knife/carving knives, chef's knife, "
        "bread knife, pocket knife",
        "cutter",
    ),
    noun("spoon", "object", "teaspoon, tablespoon, soup spoon, dessert spoon, wooden spoon, eating spoon", "ladle"),
    noun(
        "bowl",
        "object",
        "soup bowl, dish, salad bowl, mixing bowl, cereal bowl, fruit bowl, rice bowl, dish bowl",
        "basin",
    ),
    noun("banana", "object", "banana fruit, peeled banana, tropical banana", "plantain"),
    noun("apple", "object", "piece of fruit, apple fruit, eating apple, garden apple", "pippin"),
    noun(
        "sandwich",
        "object",
        "sandwich roll, toasted sandwich, hoagie, sandwich bread, filled roll, ham sandwich, cheese sandwich",
        "panini, baguette",
    ),
    noun("orange", "object", "citrus fruit, mandarin, tangerine", "clementine"),
    noun(
        "broccoli",
        "object",
        "piece of broccoli, broccoli plant, broccoli piece, broccoli vegetable, stalk of broccoli/stalks of broccoli",
        "broccoli floret",
    ),
    noun(
        "carrot", "object", "piece of carrot, carrot vegetable, garden carrot, raw carrot, baby carrot", "carrot stick"
    ),
    noun(
        "hot dog",
        "object",
        "hotdog, sausage in a bun/sausages in buns, bun with sausage/buns with sausage, sausage roll, hot-dog, wiener",
        "frankfurter",
    ),
    noun(
        "pizza",
        "object",
        "slice of pizza, pizza pie, pizza slice, italian pie, cheese pizza, pepperoni pizza",
        "margherita",
    ),
    noun(
        "donut",
        "object",
        "doughnut, ring doughnut, glazed donut, glazed doughnut, frosted donut, sugar donut, fried ring",
        "cruller",
    ),
    noun(
        "cake",
        "object",
        "birthday cake, layer cake, piece of cake, chocolate cake, cream cake, slice of cake, sponge cake, cupcake, "
        "wedding cake",
        "gateau, torte",
    ),
    noun(
        "couch",
        "object",
        "sofa, settee, corner sofa, loveseat, love seat, divan, sofa seat, three-seater, two-seater, upholstered sofa",
        "davenport, chesterfield",
    ),
    noun(
        "potted plant",
        "object",
        "plant in a pot/plants in pots, flowerpot, flower pot, pot with a plant/pots with plants, plant pot, "
        "flower in a pot/flowers in pots, plant in a container/plants in containers, potted flower",
        "planter",
    ),
    noun(
        "bed",
        "object",
        "bedstead, double bed, single bed, sleeping place, place to sleep/places to sleep, mattress",
        "cot, bunk",
    ),
    noun(
        "dining table",
        "object",
        "dinner table, kitchen table, eating table, dining room table, supper table, meal table, family table, "
        "table for meals/tables for meals",
        "banquet table",
    ),
    noun(
        "toilet",
        "object",
        "toilet bowl, toilet seat, loo, water closet, wc, flush toilet, toilet pan, privy",
        "lavatory, commode",
    ),
    noun(
        "tv",
        "object",
        "television, TV set, television set, telly, flat screen, television screen, tv screen, telly set, "
        "flat-screen tv, smart tv",
        "flatscreen, tube",
    ),
    noun(
        "laptop",
        "object",
        "notebook computer, laptop computer, portable computer, notebook pc, portable pc, folding computer, lap top, "
        "mobile computer",
        "macbook, netbook",
    ),
    noun(
        "mouse",
        "object",
        "computer mouse, pc mouse, wireless mouse, optical mouse, mouse for a computer/mice for computers",
        "pointing device",
    ),
    noun(
        "remote",
        "object",
        "remote control, tv remote control, controller, tv remote, remote controller, channel changer, remote-control",
        "zapper, clicker",
    ),
    noun(
        "keyboard",
        "object",
        "computer keyboard, pc keyboard, typing keyboard, keyboard for a computer/keyboards for computers, "
        "qwerty keyboard",
        "keypad",
    ),
    noun(
        "cell phone",
        "object",
        "mobile phone, smartphone, phone, cellphone, mobile, cellular phone, mobile telephone, android phone, "
        "portable phone, telephone, smart phone",
        "handset, iphone",
    ),
    noun(
        "microwave",
        "object",
        "microwave oven, microwave cooker, micro-wave, microwave unit, microwave machine",
        "microwave appliance",
    ),
    noun(
        "oven",
        "object",
        "stove, kitchen stove, cooker, baking oven, kitchen oven, kitchen cooker, electric oven, gas stove",
        "cooking range",
    ),
    noun(
        "toaster",
        "object",
        "bread toaster, slice toaster, electric toaster, two-slice toaster, pop-up toaster",
        "toasting appliance",
    ),
    noun(
        "sink",
        "object",
        "washstand, kitchen sink, wash sink, bathroom sink, hand sink, sink unit, washing sink",
        "washbowl",
    ),
    noun(
        "refrigerator",
        "object",
        "fridge, refrigerator unit, fridge freezer, fridge-freezer, freezer, kitchen fridge",
        "icebox",
    ),
    noun(
        "book",
        "object",
        "paperback, hardback, printed book, textbook, hardcover, softcover, storybook, publication, reading book",
        "novel, tome",
    ),
    noun(
        "clock",
        "object",
        "wall clock, alarm clock, time display, grandfather clock, clock face, digital clock, tower clock, "
        "chronometer",
        "timepiece",
    ),
    noun(
        "vase",
        "object",
        "flower vase, glass vase, ceramic vase, flower jar, pot for flowers/pots for flowers, tall vase, "
        "jar for flowers/jars for flowers",
        "urn, amphora",
    ),
    noun(
        "scissors",
        "object",
        "pair of scissors, pair of clippers, paper scissors/paper scissors, scissor/scissors",
        "shears/shears",
    ),
    noun(
        "teddy bear",
        "object",
        "teddy, stuffed bear, toy bear, stuffed toy, stuffed animal, cuddly toy, cuddly bear, soft toy, toy teddy",
        "plush bear",
    ),
    noun("hair drier", "object", "hair dryer, hairdryer, blow dryer, hair-dryer, blower, blow drier", "blow-dryer"),
    noun(
        "toothbrush",
        "object",
        "tooth brush, brush for teeth/brushes for teeth, tooth-brush, electric toothbrush, teeth brush, dental brush",
        "",
    ),
)
NOUNS: tuple[Noun, ...] = (*GENERATOR_NOUNS, *_SEEN_FROM_ABOVE, *_COCO)
