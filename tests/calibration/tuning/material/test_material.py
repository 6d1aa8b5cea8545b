import numpy as np
import pytest

from calibration.errors import MaterialError
from calibration.tuning.material.material import join
from calibration.tuning.split import held_out
from capture.light.timeline import LabelKind
from preprocess.reasons import Reason
from tests.calibration.tuning.made import blurred, item, material, measures, table

FRAME = table([measures()])


def test_frames_carry_label_subject_group_and_reason():
    made = material(
        [
            (item("a", group="x"), table([measures(), measures()])),
            (item("b", Reason.BLURRED), table([measures(blur_pct=3.0)])),
        ]
    )
    assert len(made) == 3
    assert made.subjects == ("a", "b")
    assert made.subject.tolist() == [0, 0, 1]
    assert made.good.tolist() == [True, True, False]
    assert made.group.tolist() == [0, 0, -1]
    assert made.bad_for(Reason.BLURRED).tolist() == [False, False, True]
    assert made.reasons == (Reason.BLURRED,)
    assert made.seq.tolist() == [0, 1, 0]


def test_frames_of_mixed_light_are_left_out():
    mixed = table([measures()], LabelKind.TRANSITION)
    made, notes = join(
        [item("a"), item("b", Reason.BLURRED), item("c")], list("123"), [FRAME, FRAME, mixed]
    )
    assert made.item.tolist() == [0, 1]
    assert "mixed light" in notes[0]


@pytest.mark.parametrize(
    ("items", "told"),
    [
        pytest.param([item("a"), item("a", Reason.BLURRED)], "all is of one subject", id="one"),
        pytest.param([item("a"), item("b")], "all is good", id="good"),
        pytest.param(
            [item("a", Reason.BLURRED), item("b", Reason.BLURRED)], "all is bad", id="bad"
        ),
    ],
)
def test_what_cannot_be_weighed_is_told(items, told):
    with pytest.raises(MaterialError, match=told):
        join(items, ["1", "2"], [FRAME, FRAME])


def test_the_same_picture_twice_counts_once_unless_it_says_two_things():
    first, again = item("a", name="1.png"), item("a", name="2.png")
    bad, other = item("b", Reason.BLURRED), item("c", name="3.png")
    made, notes = join([first, again, bad], ["x", "x", "y"], [FRAME] * 3)
    assert len(made.items) == 2
    assert "counted once" in notes[0]
    with pytest.raises(MaterialError, match="same content with another label"):
        join([first, other, bad], ["x", "x", "y"], [FRAME] * 3)


def test_the_digest_follows_content_and_labels_but_not_the_order():
    a, b, c = item("a"), item("b", Reason.BLURRED), item("b", Reason.NOT_FRONTAL)
    digest = join([a, b], ["1", "2"], [FRAME] * 2)[0].digest
    assert join([b, a], ["2", "1"], [FRAME] * 2)[0].digest == digest
    assert join([a, c], ["1", "2"], [FRAME] * 2)[0].digest != digest
    assert join([a, b], ["1", "3"], [FRAME] * 2)[0].digest != digest


def many(n=40):
    return blurred(
        {f"s{i}": [1.0, 1.1] for i in range(n)}, {f"s{i}": [3.0] for i in range(0, n, 2)}
    )


def test_nobody_is_on_both_sides():
    made = many()
    side = held_out(made, 0.3, 0)
    assert not set(made.subject[side]) & set(made.subject[~side])
    assert len(set(made.subject[side].tolist())) == 12


def test_both_sides_get_good_and_bad_subjects():
    side = held_out(many(), 0.3, 0)
    good = many().good
    assert (side & good).any()
    assert (side & ~good).any()
    assert (~side & ~good).any()


def test_the_seed_decides_and_a_further_subject_changes_little():
    made, more = many(), many(42)
    first, same = held_out(made, 0.3, 0), held_out(made, 0.3, 0)
    assert np.array_equal(first, same)
    assert not np.array_equal(first, held_out(made, 0.3, 1))

    def names(m, side):
        return {m.subjects[s] for s in m.subject[side]}

    assert len(names(made, first) ^ names(more, held_out(more, 0.3, 0))) <= 4


def test_a_side_without_good_frames_is_told():
    made = blurred({"a": [1.0]}, {"b": [3.0], "c": [3.0], "d": [3.0]})
    with pytest.raises(MaterialError, match="no good frame"):
        held_out(made, 0.3, 0)
