# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Templates of sentences by split. The splits share no template.

Slots in braces are filled in:

- `{np}`: the noun phrase without its change, "the red car"; `{a}` the same without "the", "a red car"; `{bare}`
  without any such word, "red car", "two red cars"; `{any}` "a red car", "any red cars";
- `{new_np}`, `{a_new}`, `{new}`, `{any_new}`: the same four with the change before the noun, "newly built";
- `{where}`: relation and position, if there are any; `{there}` the same, but required; `{place}` also without a
  preposition, "top left";
- `{that}`: the change as a clause, "that was built"; `{verb}` without "that"; `{base}` after "did", "get built";
  `{done}` after "has", "been built"; `{did}` after "someone", "tore down"; `{result}` alone, "built", "gone";
- `{owned}`: "the roof of the house next to the pond turned red";
- `{is}`, `{has}`, `{one}`: "is" or "are", "has" or "have", "the one" or "the ones".

A template is only used if all its slots can be filled.
"""

from typing import TypeAlias

from .nouns import Split


Templates: TypeAlias = dict[Split, tuple[str, ...]]

# The forms of the generator, which both splits may use inside requests.
OWN_NOUN_PHRASE = "{np} {where} {that}"
OWN_STATEMENT = "{a} {verb} {where}"
# Noun phrases with a change.
NOUN_PHRASES: Templates = {
    "train": (
        OWN_NOUN_PHRASE,
        OWN_NOUN_PHRASE,
        "{np} {that} {where}",
        "{np} {that} {where}",
        "{new_np} {where}",
        "{np}, {place}, {that}",
        "{np} {that}, {place}",
        "{new_np}, {place}",
        "{np} {where} that someone {did}",
        "{np} {where} that they {did}",
    ),
    "reworded": (
        "{np} located {there} {that}",
        "{there}, {np} {that}",
        "{there}: {np} {that}",
        "{new_np} located {there}",
        "{there}, {new_np}",
        "{np} {where}, {one} {that}",
        "{np} {where}, specifically {one} {that}",
        "{np} {where} somebody {did}",
    ),
}
# Requests and questions around a noun phrase.
ABOUT_NOUN_PHRASES: Templates = {
    "train": (
        "show me {}",
        "show {}",
        "find {}",
        "mark {}",
        "highlight {}",
        "segment {}",
        "select {}",
        "please highlight {}",
        "please segment {}",
        "please show me {}",
        "please mark {}",
        "please find {}",
        "can you find {}?",
        "can you show me {}?",
        "can you highlight {}?",
        "could you mark {}?",
        "could you please segment {}?",
        "where {is} {}?",
        "where can I see {}?",
        "I want to see {}",
        "I am looking for {}",
        "i'm looking for {}",
        "give me {}",
        "give me the mask of {}",
        "segment out {}",
        "I need {}",
        "look for {}",
        "find me {} please",
        "show me {}, please",
        "mask {}",
        "the mask of {}",
        "the location of {}",
        "only {}",
        "just {}",
        "would you show me {}?",
        "help me find {}",
        "highlight only {}",
    ),
    "reworded": (
        "outline {}",
        "can you outline {}?",
        "pick out {}",
        "locate {}",
        "please locate {}",
        "identify {}",
        "point out {}",
        "point to {}",
        "let me look at {}",
        "trace {}",
        "what I want outlined is {}",
        "draw around {}",
        "indicate {}",
        "will you indicate {}?",
        "do you notice {}?",
        "which pixels belong to {}?",
        "circle {}",
        "please outline {}",
        "could you pick out {}?",
    ),
}
# Complete sentences. Not used with a rank: "the largest house was built" and "the largest house that was built" can be
# different houses.
STATEMENTS: Templates = {
    "train": (
        OWN_STATEMENT,
        OWN_STATEMENT,
        "{there} {a} {verb}",
        "{np} {where} {verb}",
        "{np} {verb} {where}",
        "{a} {where} {verb}",
        "{np}, {place}, {verb}",
        "{there}, {a} {verb}",
        "someone {did} {a} {where}",
        "they {did} {a} {where}",
        "{owned}",
        "{owned}",
    ),
    "reworded": (
        "{there} one can see that {a} {verb}",
        "{a} located {there} {verb}",
        "between the two images, {a} {verb} {where}",
        "{np} located {there} {verb}",
        "somebody {did} {a} {where}",
    ),
}
ABOUT_STATEMENTS: Templates = {
    "train": (
        "show me where {}",
        "tell me where {}",
        "mark where {}",
        "highlight where {}",
        "show where {}",
        "find where {}",
        "I think {}",
        "there, {}",
        "segment the place where {}",
        "please show me where {}",
        "where is it that {}?",
    ),
    "reworded": (
        "point to where {}",
        "it looks like {}",
        "I noticed that {}",
        "outline the spot where {}",
        "as far as I can see, {}",
        "it seems that {}",
        "locate the spot where {}",
    ),
}
QUESTIONS: Templates = {
    "train": (
        "which {bare} {where} {verb}?",
        "which {bare} {verb} {where}?",
        "which {bare} {verb} {where}?",
        "where did {a} {base}?",
        "where did {a} {base} {where}?",
        "where {has} {a} {done}?",
        "{has} {any} {done} {where}?",
        "did {any} {base} {where}?",
        "{is} there {any} {where} {that}?",
        "{is} there {any_new} {where}?",
        "any {new} {where}?",
        "what about {new_np} {where}?",
    ),
    "reworded": (
        "what {bare} {verb} {where}?",
        "have you noticed {any_new} {where}?",
        "did you notice that {a} {verb} {where}?",
        "whereabouts did {a} {base}?",
        "am I right that {a} {verb} {where}?",
        "do you see {any} {where} {that}?",
        "what {bare} {where} {verb}?",
    ),
}
# Telegraphic fragments. Those with {result} are not used with a rank either.
FRAGMENTS: Templates = {
    "train": (
        "{new} {where}",
        "{new}, {place}",
        "{new}",
        "{new} - {place}",
        "{place}: {new}",
        "{new} ({place})",
        "{new} {place}",
    ),
    "reworded": (
        "spotted: {new} {where}",
        "{place} - {new}",
        "{place}, {new}",
        "{new} -> {place}",
        "note: {new} {where}",
    ),
}
RESULTS: Templates = {
    "train": (
        "{bare} {result} {where}",
        "{bare} {result}, {place}",
        "{bare} {where} {result}",
        "{bare}, {place}, {result}",
        "{place}: {bare} {result}",
        "{bare} {where}: {result}",
        "{bare} {place} {result}",
    ),
    "reworded": (
        "{bare}: {result}, {place}",
        "{place} - {bare} {result}",
        "{bare} - {result} {where}",
        "note: {bare} {result} {where}",
    ),
}
# All changes of one type; {verb} is a general verb in the singular, {where} a position.
EVERYTHING: dict[str, Templates] = {
    "appear": {
        "train": (
            "everything {where} that {verb}",
            "everything that {verb} {where}",
            "everything new {where}",
            "all new things {where}",
            "all that is new {where}",
            "whatever {verb} {where}",
            "anything that {verb} {where}",
            "all things {where} that are new",
            "what {verb} {where}?",
            "what is new {where}?",
            "what's new {where}?",
            "what's been added {where}?",
            "show me what is new {where}",
            "show me everything that {verb} {where}",
            "find all new objects {where}",
            "mark everything new {where}",
            "highlight whatever {verb} {where}",
            "any new things {where}?",
            "all objects {where} that were not there before",
            "new things {where}",
            "anything new {where}?",
            "where did something new show up {where}?",
            "show everything that was added {where}",
        ),
        "reworded": (
            "all additions {where}",
            "each item {where} that {verb}",
            "every newcomer {where}",
            "outline all additions {where}",
            "the complete set of additions {where}",
            "pick out each item {where} that {verb}",
        ),
    },
    "disappear": {
        "train": (
            "everything {where} that {verb}",
            "everything that {verb} {where}",
            "everything missing {where}",
            "all things {where} that are gone",
            "all that is gone {where}",
            "whatever {verb} {where}",
            "anything that {verb} {where}",
            "what {verb} {where}?",
            "what is missing {where}?",
            "what is gone {where}?",
            "what's gone {where}?",
            "what's been removed {where}?",
            "show me what is gone {where}",
            "show me everything that {verb} {where}",
            "find all objects {where} that are gone",
            "mark everything {where} that is not there any more",
            "highlight whatever {verb} {where}",
            "all objects {where} that were only there before",
            "missing things {where}",
            "anything gone {where}?",
            "show everything that was removed {where}",
        ),
        "reworded": (
            "all losses {where}",
            "each item {where} that {verb}",
            "outline all losses {where}",
            "the complete set of losses {where}",
            "pick out each item {where} that {verb}",
            "which items {where} are no more?",
        ),
    },
    "state_change": {
        "train": (
            "everything {where} that changed its state",
            "everything {where} that is in another state now",
            "whatever changed its state {where}",
            "everything {where} that stayed but changed",
            "all things {where} whose state changed",
            "all things {where} that are still there but look different",
            "what changed its state {where}?",
            "show me everything {where} that changed its state",
            "mark everything {where} that is still there but changed",
            "which things {where} are in another state now?",
            "anything {where} that changed its state",
            "find all objects {where} whose state is different now",
        ),
        "reworded": (
            "each item {where} whose condition was modified",
            "every item {where} that remained yet was transformed",
            "outline each item {where} whose condition was modified",
            "which items {where} remained, but in a modified condition?",
        ),
    },
    "any": {
        "train": (
            "all differences",
            "everything that changed",
            "everything that is different",
            "what changed?",
            "whatever changed",
            "all that changed between the two images",
            "every difference",
            "anything different",
            "what is different?",
            "what's different?",
            "all the stuff that is different",
            "all changes",
            "show me all changes",
            "show me every change",
            "find all the changes",
            "highlight everything that changed",
            "mark all differences",
            "please segment all changes",
            "show me what has changed",
            "what has changed between the first and the second image?",
            "any changes?",
            "find the differences",
            "where did something change?",
            "find everything that is not the same",
        ),
        "reworded": (
            "all modifications",
            "the complete set of alterations",
            "outline each alteration",
            "every modification",
            "whatever did not remain alike",
            "each discrepancy between the two shots",
            "in what respect do the shots disagree?",
        ),
    },
}
