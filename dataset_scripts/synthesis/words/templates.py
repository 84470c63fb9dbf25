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
- `{is}`, `{has}`, `{one}`: "is" or "are", "has" or "have", "the one" or "the ones";
- `{ones}`: "the one", "the ones" or, after "every", "each one".

A template is only used if all its slots can be filled.
"""

from typing import TypeAlias

from .nouns import Split


Templates: TypeAlias = dict[Split, tuple[str, ...]]


def divided(text: str) -> tuple[str, ...]:
    """Splits templates that are separated by semicolons."""
    return tuple(template.strip() for template in text.split(";"))


# The forms of the generator, which both splits may use inside requests.
OWN_NOUN_PHRASE = "{np} {where} {that}"
OWN_STATEMENT = "{a} {verb} {where}"
# Noun phrases with a change.
NOUN_PHRASES: Templates = {
    "train": (
        OWN_NOUN_PHRASE,
        OWN_NOUN_PHRASE,
        OWN_NOUN_PHRASE,
        OWN_NOUN_PHRASE,
        *divided(
            "{np} {that} {where}; {np} {that} {where}; {new_np} {where}; {np}, {place}, {that}; {np} {that}, {place}; "
            "{new_np}, {place}; {np} {where} that someone {did}; {np} {where} that they {did}; "
            "{np} {where} which someone {did}; {np} {where} which they {did}; {np}, {place}, which someone {did}; "
            "{np} ({place}) {that}; {np} {that} ({place}); {new_np} ({place}); {np}, I mean {ones} {there} {that}; "
            "{np} {there}, I mean {ones} {that}; {np} {there} - {ones} {that}; {np} {where} that {has} since {done}; "
            "{np} {where} that by now {has} {done}; {np} {where} that {has} {done}; {np} {that}: {place}; "
            "{np} {where} that someone {did} in the meantime"
        ),
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
    "train": divided(
        "show me {}; show {}; find {}; mark {}; highlight {}; segment {}; select {}; please highlight {}; "
        "please segment {}; please show me {}; please mark {}; please find {}; can you find {}?; "
        "can you show me {}?; can you highlight {}?; could you mark {}?; could you please segment {}?; "
        "where {is} {}?; where can I see {}?; I want to see {}; I am looking for {}; i'm looking for {}; give me {}; "
        "give me the mask of {}; segment out {}; I need {}; look for {}; find me {} please; show me {}, please; "
        "mask {}; the mask of {}; the location of {}; only {}; just {}; would you show me {}?; help me find {}; "
        "highlight only {}; display {}; reveal {}; detect {}; tag {}; label {}; mark up {}; get me {}; bring up {}; "
        "return {}; extract {}; isolate {}; single out {}; find and mark {}; find and highlight {}; search for {}; "
        "seek {}; focus on {}; concentrate on {}; zoom in on {}; check {}; please select {}; please give me {}; "
        "please detect {}; please look for {}; please mask {}; please search for {}; kindly show me {}; "
        "kindly mark {}; now show me {}; just show me {}; now mark {}; ok, show me {}; hey, where {is} {}?; "
        "hi, can you find {}?; I would love to see {}; I wish to see {}; I have to find {}; I need to find {}; "
        "i need to see {}; I need the mask of {}; I want {}; i want to find {}; I only want to see {}; "
        "I am only interested in {}; I am interested in {}; I am searching for {}; I am after {}; "
        "we are looking for {}; we need {}; looking for {}; searching for {}; wanted: {}; target: {}; query: {}; "
        "task: find {}; task: segment {}; object: {}; to be marked: {}; to find: {}; change: {}; the change: {}; "
        "mask for {}; mask of {}; a mask for {}; a mask of {}; the segmentation of {}; segmentation of {}; "
        "segmentation mask of {}; the segmentation mask for {}; generate the mask of {}; generate a mask for {}; "
        "produce a mask for {}; compute the mask of {}; the area of {}; the area covered by {}; mark the area of {}; "
        "highlight the area of {}; show me the place of {}; the shape of {}; can you mark {}?; can you segment {}?; "
        "can you select {}?; can you see {}?; can you detect {}?; can you tell me where {} {is}?; "
        "could you find {}?; could you show me {}?; could you highlight {}?; could you give me {}?; could I see {}?; "
        "can I see {}?; may I see {}?; would you mark {}?; would you please highlight {}?; "
        "would you mind showing me {}?; will you show me {}?; do you see {}?; do you know where {} {is}?; "
        "do you know where to find {}?; tell me where {} {is}; I wonder where {} {is}; where can {} be seen?; "
        "where do I see {}?; where would I find {}?; where in the image {is} {}?; where, please, {is} {}?; "
        "where might {} be?; in which place {is} {}?; in which part of the image {is} {}?; show {} please; "
        "{} please; {}?; where {is} {}; find me {}; show me only {}; show me just {}; mark only {}; "
        "mark just {}; segment only {}; segment just {}; select only {}; help me to see {}; help me to mark {}; "
        "your task is to find {}; try to find {}; what I am looking for is {}; what I need is {}; this is about {}; "
        "it is about {}"
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
        *divided(
            "{there} {a} {verb}; {np} {where} {verb}; {np} {verb} {where}; {a} {where} {verb}; {np}, {place}, {verb}; "
            "{there}, {a} {verb}; someone {did} {a} {where}; they {did} {a} {where}; {owned}; {owned}; "
            "{a} {has} {done} {where}; {a} {where} {has} {done}; {np} {where} {has} {done}; "
            "{np} {has} {done} {where}; "
            "{there} {a} {has} {done}; {there}, {a} {has} {done}; {there} {np} {verb}; {there}, {np} {verb}; "
            "in the meantime {a} {has} {done} {where}; in the meantime, {np} {where} {has} {done}; "
            "meanwhile, {a} {has} {done} {where}; since the first image, {a} {has} {done} {where}; "
            "by now, {a} {has} {done} {where}; by now {np} {where} {has} {done}; there {is} {a_new} {where}; "
            "there {is} {a} {where} {that}; {a} ({place}) {verb}; {a}, {place}, {verb}; {np} ({place}) {verb}; "
            "someone {did} {np} {where}; they {did} {np} {where}; {there}, someone {did} {a}; {there}, they {did} {a}"
        ),
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
    "train": divided(
        "show me where {}; tell me where {}; mark where {}; highlight where {}; show where {}; find where {}; "
        "I think {}; there, {}; segment the place where {}; please show me where {}; where is it that {}?; "
        "see where {}; I believe {}; I guess {}; I see that {}; I can see that {}; you can see that {}; "
        "apparently {}; obviously, {}; it is clear that {}; can you show me where {}?; can you mark where {}?; "
        "can you see where {}?; can you tell me where {}?; could you show me where {}?; could you mark where {}?; "
        "could you highlight where {}?; please mark where {}; please highlight where {}; please tell me where {}; "
        "please select the place where {}; the place where {}; the area where {}; mark the place where {}; "
        "mark the area where {}; highlight the place where {}; highlight the area where {}; "
        "show me the area where {}; show me the place where {}; find the place where {}; find the area where {}; "
        "select the area where {}; segment the area where {}; I want to see where {}; I need to see where {}; "
        "I would love to see where {}; I wonder where {}; do you see where {}?; do you know where {}?; change: {}; "
        "the change: {}; what happened: {}; this happened: {}; someone told me that {}; is it true that {}?; so {}; "
        "well, {}"
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
    "train": divided(
        "which {bare} {where} {verb}?; which {bare} {verb} {where}?; which {bare} {verb} {where}?; "
        "where did {a} {base}?; where did {a} {base} {where}?; where {has} {a} {done}?; {has} {any} {done} {where}?; "
        "did {any} {base} {where}?; {is} there {any} {where} {that}?; {is} there {any_new} {where}?; "
        "any {new} {where}?; what about {new_np} {where}?; which {bare} {where} {has} {done}?; "
        "which {bare} {has} {done} {where}?; so which {bare} {verb} {where}?; and which {bare} {where} {verb}?; "
        "tell me which {bare} {verb} {where}; tell me which {bare} {where} {verb}; "
        "show me which {bare} {verb} {where}; show me which {bare} {where} {verb}; mark which {bare} {verb} {where}; "
        "{has} {a} {done} {where}?; {has} {np} {where} {done}?; {has} {any} {where} {done}?; "
        "did {a} {base} {where}?; did {a} {where} {base}?; did {np} {where} {base}?; did {np} {base} {where}?; "
        "did {any} {where} {base}?; {is} there {a} {where} {that}?; {is} there {a} {that} {where}?; "
        "{is} there {any} {that} {where}?; {is} there {a_new} {where}?; can you see {any} {where} {that}?; "
        "can you see {a} {where} {that}?; can you see {any_new} {where}?; can you see {a_new} {where}?; "
        "can you find {a_new} {where}?; can you find {any} {where} {that}?; any {bare} {where} {that}?; "
        "any {bare} {that} {where}?; what about {np} {where} {that}?; how about {np} {where} {that}?; "
        "how about {new_np} {where}?; where did {np} {base}?; where {has} {np} {done}?; where {has} {any} {done}?; "
        "where did {any} {base}?; in which place did {a} {base}?; in which place {has} {a} {done}?; "
        "in which part of the image did {a} {base}?; in which part of the image {has} {a} {done}?; "
        "at which place {has} {a} {done}?; where {is} {a_new}?; where {is} {new_np}?; where can I see {a_new}?; "
        "where is it that {a} {has} {done}?; where do you see {a_new}?"
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
    "train": divided(
        "{new} {where}; {new}, {place}; {new}; {new} - {place}; {place}: {new}; {new} ({place}); {new} {place}; "
        "{bare} {where} {that}; {bare} {that} {where}; {bare}, {place}, {that}; {bare} {that}: {place}; "
        "{place}: {bare} {that}; {bare} ({place}) {that}; {new}: {place}; {place} {new}; {place} ({new}); "
        "{new} / {place}; {new} | {place}; {new}... {place}; change: {new} {where}; change: {new}, {place}; "
        "change: {bare} {where} {that}; to find: {new} {where}; target: {new} {where}; "
        "target: {bare} {where} {that}; {new} {where}?; {new} {where}!; * {new} {where}; - {new}, {place}; "
        "[{place}] {new}; [{place}] {bare} {that}"
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
    "train": divided(
        "{bare} {result} {where}; {bare} {result}, {place}; {bare} {where} {result}; {bare}, {place}, {result}; "
        "{place}: {bare} {result}; {bare} {where}: {result}; {bare} {place} {result}; {bare}: {result} {where}; "
        "{bare} ({place}) {result}; {bare} {result} ({place}); {bare} {where} ({result}); {bare}, {result} {where}; "
        "{bare} {where}, {result}; {bare} {where} -> {result}; {bare} {where} - {result}; "
        "{bare} / {result} / {place}; {bare} {place}: {result}; {place}, {bare} {result}; {place} {bare} {result}; "
        "{place}: {bare}, {result}; [{place}] {bare} {result}; {result}: {bare} {where}; {result}: {bare}, {place}; "
        "change: {bare} {result} {where}; change: {bare}, {place}, {result}; change: {bare} {where}: {result}; "
        "{a} {result} {where}; {bare} {result} {where}?; {bare} {where} {result}?; * {bare} {result} {where}; "
        "target: {bare} {result} {where}; {a_new} {where}; {a_new}, {place}; {a_new} ({place}); {a_new}: {place}; "
        "{place}: {a_new}; change: {a_new} {where}; {a} {where} {that}; {a} {that} {where}; {a}, {place}, {that}; "
        "what to find: {a} {where} {that}; one change: {a_new} {where}"
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
        "train": divided(
            "everything {where} that {verb}; everything that {verb} {where}; everything new {where}; "
            "all new things {where}; all that is new {where}; whatever {verb} {where}; anything that {verb} {where}; "
            "all things {where} that are new; what {verb} {where}?; what is new {where}?; what's new {where}?; "
            "what's been added {where}?; show me what is new {where}; show me everything that {verb} {where}; "
            "find all new objects {where}; mark everything new {where}; highlight whatever {verb} {where}; "
            "any new things {where}?; all objects {where} that were not there before; new things {where}; "
            "anything new {where}?; where did something new show up {where}?; "
            "show everything that was added {where}; everything {where} that was not there before; "
            "everything that did not exist before {where}; all that {verb} {where}; each thing {where} that {verb}; "
            "each object {where} that {verb}; every object {where} that {verb}; every thing that {verb} {where}; "
            "every new thing {where}; every new object {where}; each new object {where}; "
            "any object {where} that {verb}; any new object {where}; anything {where} that was not there at first; "
            "anything that has been added {where}; the things that were added {where}; "
            "the things {where} that were not there before; the set of things that were added {where}; "
            "the full set of new objects {where}; the whole list of new things {where}; list all new things {where}; "
            "list everything that {verb} {where}; a list of all new objects {where}; new objects {where}; "
            "all the new stuff {where}; new stuff {where}; all that was added {where}; only what is new {where}; "
            "just the new things {where}; what is there now {where} but was not before?; "
            "what is there {where} that was not there before?; what was not there before {where}?; "
            "what did not exist before {where}?; what has been added {where}?; what has appeared {where}?; "
            "which things {where} are new?; which objects {where} are new?; which objects have been added {where}?; "
            "which objects {where} were not there before?; what else is new {where}?; "
            "is there anything new {where}?; are there any new objects {where}?; "
            "can you show me what is new {where}?; can you find everything that {verb} {where}?; "
            "could you mark everything new {where}?; please mark everything that {verb} {where}; "
            "please highlight all new objects {where}; segment everything new {where}; "
            "segment all that {verb} {where}; select all new things {where}; find everything that was added {where}; "
            "find whatever {verb} {where}; tell me what is new {where}; where is something new {where}?; "
            "I want to see everything new {where}; I am looking for all that {verb} {where}; "
            "I need all the new objects {where}; what came in addition {where}?; change: everything new {where}; "
            "change: all that {verb} {where}"
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
        "train": divided(
            "everything {where} that {verb}; everything that {verb} {where}; everything missing {where}; "
            "all things {where} that are gone; all that is gone {where}; whatever {verb} {where}; "
            "anything that {verb} {where}; what {verb} {where}?; what is missing {where}?; what is gone {where}?; "
            "what's gone {where}?; what's been removed {where}?; show me what is gone {where}; "
            "show me everything that {verb} {where}; find all objects {where} that are gone; "
            "mark everything {where} that is not there any more; highlight whatever {verb} {where}; "
            "all objects {where} that were only there before; missing things {where}; anything gone {where}?; "
            "show everything that was removed {where}; everything {where} that is no longer there; "
            "everything that used to be there {where}; everything {where} that got lost; everything lost {where}; "
            "everything gone {where}; all that {verb} {where}; all that is lost {where}; "
            "each thing {where} that {verb}; each object {where} that {verb}; every object {where} that {verb}; "
            "every missing thing {where}; every missing object {where}; each removed object {where}; "
            "any object {where} that {verb}; anything {where} that is no longer there; anything missing {where}; "
            "anything {where} that existed only before; the things that were removed {where}; "
            "the things {where} that are gone; the set of things that were removed {where}; "
            "the full set of removed things {where}; the whole list of removed objects {where}; "
            "list all missing things {where}; list everything that {verb} {where}; list of removals {where}; "
            "a list of all removed objects {where}; all removals {where}; all disappearances {where}; "
            "all removed things {where}; all missing objects {where}; missing objects {where}; "
            "all the missing stuff {where}; only what is gone {where}; just the missing things {where}; "
            "what was there before {where} but is not now?; what was there {where} that is not any more?; "
            "what is not there any more {where}?; what is no longer there {where}?; what was removed {where}?; "
            "what has been removed {where}?; what has disappeared {where}?; what got lost {where}?; "
            "which things {where} are missing?; which objects {where} are gone?; "
            "which objects have been removed {where}?; which objects {where} can no longer be seen?; "
            "is anything missing {where}?; is there anything missing {where}?; "
            "can you show me what is gone {where}?; can you find everything that {verb} {where}?; "
            "could you mark everything {where} that is gone?; please mark everything that {verb} {where}; "
            "please highlight all missing objects {where}; segment everything {where} that is gone; "
            "segment all that {verb} {where}; select all removed things {where}; "
            "find everything that was removed {where}; find whatever {verb} {where}; "
            "tell me what is missing {where}; I want to see everything {where} that is gone; "
            "I am looking for all that {verb} {where}; I need all the missing objects {where}; "
            "change: everything gone {where}; change: all that {verb} {where}"
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
        "train": divided(
            "everything {where} that changed its state; everything {where} that is in another state now; "
            "whatever changed its state {where}; everything {where} that stayed but changed; "
            "all things {where} whose state changed; all things {where} that are still there but look different; "
            "what changed its state {where}?; show me everything {where} that changed its state; "
            "mark everything {where} that is still there but changed; "
            "which things {where} are in another state now?; anything {where} that changed its state; "
            "find all objects {where} whose state is different now; everything {where} that has changed its state; "
            "everything {where} that is in a different state now; "
            "everything {where} that stayed but looks different; everything {where} that is still there but altered; "
            "all that changed its state {where}; all things {where} that changed their state; "
            "all the things {where} that are still there but in another state; "
            "all objects {where} that have been altered but are still there; "
            "all objects {where} that changed their state; all objects {where} that stayed but look different; "
            "each thing {where} whose state changed; each object {where} whose state was altered; "
            "each object {where} that stayed but in an altered state; every object {where} whose state changed; "
            "every thing {where} that is in another state now; any object {where} whose state is different; "
            "the things {where} that changed their state; the things {where} that were altered but not removed; "
            "the objects {where} that stayed but in another state; the set of things {where} whose state changed; "
            "the full set of objects {where} in an altered state; "
            "the whole list of objects {where} in another state; list all objects {where} whose state changed; "
            "a list of all things {where} that changed their state; objects {where} in another state; "
            "things {where} that stayed but look different; what is in another state now {where}?; "
            "what is still there {where} but altered?; what stayed {where} but looks different now?; "
            "what has changed its state {where}?; what changed {where} but is still there?; "
            "which things {where} changed their state?; which objects {where} are in another state now?; "
            "which objects {where} stayed but in an altered state?; "
            "which objects {where} stayed but look different?; has anything {where} changed its state?; "
            "can you show me what {where} changed its state?; "
            "could you mark everything {where} that changed its state?; "
            "please mark everything {where} that is in another state now; "
            "please highlight all objects {where} whose state changed; "
            "segment everything {where} that changed its state; select all things {where} whose state is different; "
            "find everything {where} that was altered but is still there; tell me what {where} changed its state; "
            "I want to see what {where} changed its state; "
            "I am looking for everything {where} that is in another state; "
            "everything {where} that is neither new nor gone but different; "
            "change: everything {where} in another state"
        ),
        "reworded": (
            "each item {where} whose condition was modified",
            "every item {where} that remained yet was transformed",
            "outline each item {where} whose condition was modified",
            "which items {where} remained, but in a modified condition?",
        ),
    },
    "any": {
        "train": divided(
            "all differences; everything that changed; everything that is different; what changed?; "
            "whatever changed; all that changed between the two images; every difference; anything different; "
            "what is different?; what's different?; all the stuff that is different; all changes; "
            "show me all changes; show me every change; find all the changes; highlight everything that changed; "
            "mark all differences; please segment all changes; show me what has changed; "
            "what has changed between the first and the second image?; any changes?; find the differences; "
            "where did something change?; find everything that is not the same; all the differences; "
            "each difference; each change; every single change; every single difference; "
            "every change between the two images; each deviation; every deviation; all deviations; "
            "every dissimilarity; all dissimilarities; every variation; all variations; "
            "every inconsistency between the images; each contrast between the two images; the full set of changes; "
            "the whole set of changes; the full set of differences; the whole list of changes; "
            "the full list of differences; a list of all changes; list all changes; list all the differences; "
            "list of changes; list of differences; the total change; the overall change; changes; differences; "
            "changes only; change map; the change map; change mask; the mask of all changes; a mask of every change; "
            "mask of all differences; all that is different; all that is not the same; all that was altered; "
            "anything that changed; anything that is not the same; anything that was altered; "
            "anything that looks different; everything that was altered; everything that is no longer the same; "
            "everything that is not as before; everything that looks different; "
            "everything that did not stay the same; everything new, gone or altered; "
            "everything that appeared, disappeared or changed; everything that was added, removed or altered; "
            "whatever is different; whatever is not the same; whatever did not stay the same; what is not the same?; "
            "what is no longer the same?; what is not as it was?; what did not stay the same?; what has changed?; "
            "what was altered?; what happened?; what happened between the two images?; what happened here?; "
            "what has changed here?; what changed here?; what is different here?; "
            "what is different in the second image?; what is different between the images?; "
            "what are the differences?; what are the changes?; what differences are there?; "
            "which changes can you see?; which changes are there?; which things changed?; which areas changed?; "
            "which parts changed?; which parts are not the same?; where are the differences?; "
            "where are the changes?; where is something different?; where has something changed?; "
            "where do the images not match?; where do the two images deviate?; how do the two images vary?; "
            "in which places did something change?; has anything changed?; did anything change?; "
            "is anything different?; are there any changes?; are there any differences?; any difference?; "
            "any differences?; anything changed?; show me all the changes; show me all differences; "
            "show me the differences; show me the changes; show me what changed; show me what is different; "
            "show me everything that changed; show me everything that is not the same; show all changes; "
            "show every difference; find all differences; find all changes; find every change; find each difference; "
            "find whatever changed; find what is not the same; highlight all changes; highlight all differences; "
            "highlight the changes; highlight every change; highlight what changed; mark all changes; "
            "mark the changes; mark every change; mark each difference; mark everything that changed; "
            "mark everything that is different; mark whatever changed; mark the areas that changed; "
            "segment all changes; segment all differences; segment every change; segment everything that changed; "
            "segment everything that is different; select all changes; select everything that changed; "
            "detect all changes; detect every change; change detection; detect changes; please show me all changes; "
            "please show me what changed; please mark all changes; please mark everything that is different; "
            "please highlight every difference; please find all differences; can you show me what changed?; "
            "can you find all differences?; can you mark all changes?; can you see what changed?; "
            "could you highlight everything that changed?; could you show me all differences?; tell me what changed; "
            "tell me what is different; tell me all differences; I want to see all changes; "
            "I want to see every difference; I am looking for all changes; "
            "I am looking for everything that is different; I need all changes; I need the mask of all changes; "
            "give me all changes; give me every difference; compare the two images; "
            "compare the images and mark what changed; compare both images and show the differences; "
            "all areas that changed; the changed areas; the changed parts; changed areas; "
            "the areas that are not the same; all places where something changed; "
            "every place where something changed; all the places that look different; each thing that changed; "
            "every object that changed; all objects that have changed; all things that are different; "
            "all things that are not the same; all things that were altered"
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
