"""The sound of a call, made by ourselves: two soft tones, as a door bell has."""

import io
import wave
from math import exp, pi, sin

RATE = 22_050  # samples a second
TONES = ((659.26, 0.0), (523.25, 0.45))  # hertz, and from which second on (E5, C5)
SECONDS = 1.6


def call_sound() -> bytes:
    """Return the WAV file, 16 bit mono; the same bytes every time."""
    frames = bytearray()
    for index in range(int(RATE * SECONDS)):
        at = index / RATE
        level = sum(
            exp(-3.5 * (at - start)) * (sin(2 * pi * pitch * at) + 0.3 * sin(4 * pi * pitch * at))
            for pitch, start in TONES
            if at >= start
        )
        frames += int(max(-1.0, min(1.0, 0.38 * level)) * 32_767).to_bytes(
            2, "little", signed=True
        )
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(bytes(frames))
    return file.getvalue()
