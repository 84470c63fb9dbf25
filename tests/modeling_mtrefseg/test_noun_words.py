"""Plain nouns for rare ones."""

import pytest

from modeling_mtrefseg.noun_words_mtrefseg import plain_nouns
from modeling_mtrefseg.plain_sentences_mtrefseg import with_change


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("the edifice that was built", "the building that was built"),
        ("An Edifice near the wharfs.", "A building near the harbors."),
        ("two churches, three ferries and a hot tub", "two buildings, three ships and a pool"),
        ("which policemen left?", "which men left?"),
        ("the children in the grove", "the people in the patch of forest"),
        ("an armchair by the poster", "a chair by the picture"),
        ("the retention basins", "the ponds"),
        ("someone who left", "person who left"),
        # Somebody else, only a word of another noun's name, known words, no noun.
        ("the church tower", "the church tower"),
        ("individual houses", "individual houses"),
        ("someone removed the bag", "someone removed the bag"),
        ("the house next to the road", "the house next to the road"),
        ("", ""),
    ],
)
def test_rare_nouns_are_replaced(text: str, plain: str) -> None:
    assert plain_nouns(text) == plain


def test_the_model_is_asked_with_plain_nouns() -> None:
    assert with_change("the edifice that was built") == "appeared: the building that was built"
    assert with_change("ferries") == "ships that changed"
