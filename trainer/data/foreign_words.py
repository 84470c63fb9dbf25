# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Recognises sentences that the rules for English words would misread: of "das neue Haus links" they understand no word,
so that it would stay as it is in a mirrored image.
"""

import re


_WORD = re.compile("[a-z]+")
# Typographic quotes, dashes and spaces, which editors put into English text. Any other character (letters of other
# alphabets, accents, arrows) may belong to a direction.
_PLAIN = {
    ord(mark): plain for plain, marks in {"'": "‘’", '"': "“”", "-": "‐‑‒–—", " ": "\u00a0…"}.items() for mark in marks
}
# Articles and prepositions, of which nearly every sentence has one, and directions. Words of English ("van", "no") are
# missing.
_FOREIGN_WORDS = (
    "der die das des dem den ein eine einen einem einer im und von vom zum zur auf neben "
    "el la los las un una unos del en y que le les une du des au aux et il lo gli di della nel nella uno "
    "os um uma na nos nas da dos het een op bij naast de och det ett og di yang "
    "links rechts linke linken linker linkes rechte rechten rechter rechtes oben unten obere oberen unteren untere "
    "vorne hinten mitte norden osten westen linksboven linksonder rechtsboven rechtsonder boven onder beneden midden "
    "izquierda izquierdo derecha derecho arriba abajo superior inferior norte sur este oeste "
    "gauche droite droit haut bas dessus dessous nord sud est ouest "
    "sinistra sinistro destra destro alto basso sopra sotto esquerda esquerdo direita direito cima baixo acima abaixo "
    "venstre kiri kanan atas bawah sol ust lewo lewej prawo prawej stanga dreapta"
)
_FOREIGN = frozenset(_FOREIGN_WORDS.split())


def plain_text(sentence: str) -> str:
    """The sentence with plain quotes, dashes and spaces instead of typographic ones, each of one character."""
    return sentence.translate(_PLAIN)


def may_be_foreign(sentence: str) -> bool:
    """
    Whether a sentence may be in another language than English, or mention a direction by a sign such as an arrow.

    Args:
        sentence (`str`): The sentence.

    Returns:
        `bool`: In doubt `True`: such a sentence is left out where it might become false.
    """
    plain = plain_text(sentence)
    return not plain.isascii() or not _FOREIGN.isdisjoint(_WORD.findall(plain.lower()))
