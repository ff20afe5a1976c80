"""Speech from text, by eSpeak NG as the package espeakng-loader brings it."""

from __future__ import annotations

import ctypes
import functools
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import espeakng_loader
import numpy as np
from numpy.typing import NDArray

__all__ = ["Utterance", "Voice", "speak"]

_SYNCHRONOUS: Final = 2  # AUDIO_OUTPUT_SYNCHRONOUS
_UTF_8: Final = 1  # espeakCHARS_UTF8
_RATE: Final = 1  # espeakRATE
_PITCH: Final = 3  # espeakPITCH
_Callback: Final = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


@dataclass(frozen=True, slots=True)
class Voice:
    """How somebody sounds.

    Attributes:
        name: Language and variant, such as ``"en-us+f2"``.
        words_per_minute: Speed.
        pitch: 0 to 99.
    """

    name: str
    words_per_minute: int = 130
    pitch: int = 50


@dataclass(frozen=True, slots=True)
class Utterance:
    """What somebody says, and when, in seconds since the beginning of the track."""

    start: float
    text: str


class _Synthesiser:
    """The library, which has one state for the whole process."""

    def __init__(self) -> None:
        self._library: Any = ctypes.CDLL(espeakng_loader.get_library_path())
        self._lock = threading.Lock()
        self._samples: list[NDArray[np.int16]] = []
        self._callback = _Callback(self._receive)
        self.sample_rate: int = self._library.espeak_Initialize(
            _SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), 0
        )
        if self.sample_rate <= 0:
            raise RuntimeError("eSpeak NG cannot read its data.")
        self._library.espeak_SetSynthCallback(self._callback)

    def speak(self, voice: Voice, text: str) -> NDArray[np.int16]:
        """The samples of a text.

        Raises:
            ValueError: There is no such voice.
        """
        encoded = text.encode() + b"\0"
        with self._lock:
            self._samples.clear()
            if self._library.espeak_SetVoiceByName(voice.name.encode()) != 0:
                raise ValueError(f"There is no voice {voice.name!r}.")
            self._library.espeak_SetParameter(_RATE, voice.words_per_minute, 0)
            self._library.espeak_SetParameter(_PITCH, voice.pitch, 0)
            self._library.espeak_Synth(encoded, len(encoded), 0, 0, 0, _UTF_8, None, None)
            return np.concatenate([np.zeros(0, np.int16), *self._samples])

    def _receive(self, samples: Any, count: int, events: int | None) -> int:
        if samples and count:
            self._samples.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0


@functools.cache
def _synthesiser() -> _Synthesiser:
    return _Synthesiser()


def speak(voice: Voice, utterances: Sequence[Utterance]) -> tuple[NDArray[np.int16], int]:
    """The samples of a track, with silence between its utterances, and their rate.

    An utterance that would begin before the one before it is over begins after that.
    """
    synthesiser = _synthesiser()
    parts: list[NDArray[np.int16]] = []
    length = 0
    for utterance in utterances:
        silence = np.zeros(max(0, int(utterance.start * synthesiser.sample_rate) - length), np.int16)
        spoken = synthesiser.speak(voice, utterance.text)
        parts += [silence, spoken]
        length += len(silence) + len(spoken)
    return np.concatenate(parts), synthesiser.sample_rate
