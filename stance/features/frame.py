"""The frames of judgement that an actor takes part in, as features: a block.

Who judges another is not thereby judged, which a model that adds up words cannot tell. Only short
paragraphs are read: there, whom a frame judges is most of the answer. In long ones it is not, and
what short ones teach about it would mislead.
"""

import numpy as np

from stance.arrays import stretches
from stance.features.occurrences import Closed, Occurrences
from stance.features.pairs import Pairs
from stance.reading.frames import AUTHOR, KINDS, NO_ACTOR, OTHER, frames_of
from stance.reading.words import Reader

_POLARITIES = ["negative", "denied", "positive"]
_PARTS = ["agent", "agent of what is no actor", "patient of an actor"]
_PARTS += ["patient of the author", "patient of another"]
_AGENT, _AGENT_ELSEWHERE, _PATIENT = range(3)
_FRAMES = Closed(("frame", [KINDS, _POLARITIES, _PARTS]), ("frame", [_POLARITIES, _PARTS]))


def frame_block(reader: Reader, pairs: Pairs) -> list[Occurrences]:
    """Frames of judgement by kind of cue, polarity, and the actor's part in them."""
    found = pairs.words.once(frames_of, reader)
    if not found:
        return []
    cue, polarity, agent, patient, *_, kind = np.array(found, np.int64).T
    para = pairs.words.para.take(cue)
    judged, judges = np.flatnonzero(patient >= 0), np.flatnonzero(agent >= 0)
    part = np.where(patient[judges] == NO_ACTOR, _AGENT_ELSEWHERE, _AGENT)
    holder = np.select([agent[judged] == AUTHOR, agent[judged] == OTHER], [1, 2], 0)
    frame = np.concatenate([judges, judged])
    actor = np.concatenate([agent[judges], patient[judged]])
    part = np.concatenate([part, _PATIENT + holder])
    width = max(int(actor.max(initial=0)), int(pairs.actor.max(initial=0))) + 2
    named = para[frame] * np.int64(width) + actor
    order = np.argsort(named, kind="stable")
    asked = pairs.para * np.int64(width) + pairs.actor
    low, high = (np.searchsorted(named[order], asked, side=side) for side in ("left", "right"))
    place = order.take(stretches(low, high - low))
    row, frame, part = np.repeat(np.arange(pairs.count), high - low), frame[place], part[place]
    fields = [(kind[frame], polarity[frame] + 1, part), (polarity[frame] + 1, part)]
    return [Occurrences(row, cue[frame], _FRAMES.encode(fields), vocabulary=_FRAMES)]
