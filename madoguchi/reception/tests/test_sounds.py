from pathlib import Path

from madoguchi.reception.sounds import call_sound


def test_the_sound_that_is_shipped_is_our_own() -> None:
    shipped = Path(__file__).parents[1] / "static/reception/call.wav"

    assert shipped.read_bytes() == call_sound()
