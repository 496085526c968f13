"""The method paragraph and its references, ready to paste."""

from collections.abc import Sequence
from importlib.metadata import version

from stance.display import count
from stance.reports.findings import Findings, Maker
from stance.reports.markup import Html, isolated, joined, tag
from stance.reports.tally import CLUSTERS

WILSON = """@article{wilson1927,
  author = {Wilson, Edwin B.},
  title = {Probable Inference, the Law of Succession, and Statistical Inference},
  journal = {Journal of the American Statistical Association},
  volume = {22}, number = {158}, pages = {209--212}, year = {1927}
}"""

KORN = """@article{korn1998,
  author = {Korn, Edward L. and Graubard, Barry I.},
  title = {Confidence Intervals for Proportions with Small Expected Number of Positive Counts
           Estimated from Survey Data},
  journal = {Survey Methodology}, volume = {24}, number = {2}, pages = {193--201}, year = {1998}
}"""

ZOU = """@article{zou2008,
  author = {Zou, Guang Yong and Donner, Allan},
  title = {Construction of Confidence Limits about Effect Measures: A General Approach},
  journal = {Statistics in Medicine}, volume = {27}, number = {10}, pages = {1693--1702},
  year = {2008}
}"""

EFRON = """@article{efron1987,
  author = {Efron, Bradley},
  title = {Better Bootstrap Confidence Intervals},
  journal = {Journal of the American Statistical Association},
  volume = {82}, number = {397}, pages = {171--185}, year = {1987}
}"""

DAVISON = """@book{davison1997,
  author = {Davison, Anthony C. and Hinkley, David V.},
  title = {Bootstrap Methods and their Application},
  publisher = {Cambridge University Press}, year = {1997}
}"""

HESTERBERG = """@article{hesterberg2015,
  author = {Hesterberg, Tim C.},
  title = {What Teachers Should Know About the Bootstrap: Resampling in the Undergraduate
           Statistics Curriculum},
  journal = {The American Statistician}, volume = {69}, number = {4}, pages = {371--386},
  year = {2015}
}"""


def software() -> str:
    """Return the BibTeX entry of this package."""
    return f"""@software{{stance,
  author = {{{{The stance developers}}}},
  title = {{stance: target-aware stance classification of paragraphs}},
  version = {{{version("stance")}}}
}}"""


def counted_rows(found: Findings) -> str:
    """Return how many paragraphs, or pairs, were judged."""
    if not found.survey.places.paired:
        return count(found.tally.rows, "paragraph")
    return f"{count(found.tally.rows, 'pair')} of a paragraph and an actor"


def prediction_method(found: Findings) -> Html:
    """Return how the figures of a report on predictions came about, as a paragraph."""
    parts: list[str] = [
        f"We classified {counted_rows(found)} with stance, which judges the stance (against, "
        f"neutral, favor) of a paragraph toward {_asked(found)}",
        *_model_sentences(found.maker),
        _interval_sentence(found),
    ]
    parts += [
        f"Shares and intervals were computed with stance {version('stance')}",
        ", which gives the table's probabilities for the paragraphs shown" * bool(
            found.marked.reproduced
        ),
        ". The table of answers has sha256 ", tag("code", found.sha256), ".",
    ]  # fmt: skip
    return tag("p", joined(parts), class_="paste")


def _asked(found: Findings) -> str:
    """Return which actors were judged, and how many answers that gave."""
    tally, withheld = found.tally, int(found.tally.uncertain.sum())
    if found.survey.places.paired:
        text = f"an actor that is given with it. {tally.naming:,} of the pairs name their actor. "
    else:
        text = (
            f"each actor of its dictionary that it names. {tally.naming:,} of them name one, which "
            f"gave {count(tally.answers, 'answer')}. "
        )
    if not withheld:
        return f"{text}No answer was withheld as uncertain. "
    return f"{text}{count(withheld, 'answer')} withheld as uncertain are left out of all shares. "


def _model_sentences(maker: Maker | None) -> list[str]:
    if maker is None:
        return ["The model was [name the model file and its sha256: it was not given]. "]
    card, scores = maker.card, maker.card["scores"]
    names = ", ".join(f"{s['name']} ({s['rows']:,} rows)" for s in card["data"])
    made = ", ".join(f"{name} {number}" for name, number in card["versions"].items())
    sentences: list[str] = [
        "The model (file ", isolated(maker.name), ", sha256 ", tag("code", maker.sha256),
        "), linear over TF-IDF weighted features, was trained on ", isolated(names),
        f" with {made}, seed {card['seed']}. ",
    ]  # fmt: skip
    if "macro_f1" in scores:
        low, high = scores["macro_f1_interval"]
        sentences.append(
            "In cross-validation by document on texts like its training data it reaches a macro-F1 "
            f"of {100 * scores['macro_f1']:.1f} (95 % interval {100 * low:.1f} to "
            f"{100 * high:.1f}; target-blind words "
            f"{100 * scores['baselines']['target_blind']['macro_f1']:.1f}). "
        )
    return sentences


def _interval_sentence(found: Findings) -> str:
    if found.clustered:
        return (
            "Intervals are 95 % Wilson intervals (Wilson 1927) with the effective number of "
            "answers (Korn and Graubard 1998): answers of one document depend on each other, so "
            "the design effect, at least 1, is estimated from the variance between documents, "
            f"which a hash puts into {CLUSTERS:,} groups, and Student's t allows for few of them. "
            "Those of net stances join the intervals of both shares (Zou and Donner 2008). They "
            "cover sampling, not errors of the classifier. "
        )
    return (
        "Intervals are 95 % Wilson intervals (Wilson 1927), those of net stances join the "
        "intervals of both shares (Zou and Donner 2008). The table names no documents, so "
        "paragraphs count as independent of each other (answers of one paragraph do not: Korn and "
        "Graubard 1998); if several come from one article, the intervals are too narrow. They "
        "cover sampling, not errors of the classifier. "
    )


def references(found: Findings) -> Html:
    """Return the BibTeX entries that the paragraph cites."""
    entries: Sequence[str] = [
        software(),
        WILSON,
        KORN,
        ZOU,
    ]
    return tag("pre", "\n\n".join(entries))
