"""Cross-validate every recipe on every corpus: the table of training/README.md.

Usage: python training/recipes.py CORPUS... [--recipes training/*.toml]

Prints a Markdown table: macro-F1 in percent with its 95 % interval and ECE, by grouped
cross-validation, beside the majority label and target-blind words of the same run.
"""

import argparse
import dataclasses
from pathlib import Path

from stance.corpus import read_corpus
from stance.fitting import train
from stance.reading.actors import ActorBook
from stance.recipe import read_recipe


def main() -> None:
    """Train each recipe on each corpus and print what the cross-validation says."""
    folder = Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpora", nargs="+", type=Path)
    english = sorted(set(folder.glob("*.toml")) - {folder / "russian.toml"})
    parser.add_argument("--recipes", nargs="+", type=Path, default=english)
    options = parser.parse_args()
    print("| corpus | recipe | macro-F1 | 95 % interval | ECE | target-blind | majority |")
    print("|---|---|---|---|---|---|---|")
    for path in options.corpora:
        corpus = read_corpus([path])
        for file in options.recipes:
            recipe = dataclasses.replace(read_recipe(file), corpora={}).validated_once()
            book = ActorBook.default(recipe.language)
            found = train(recipe, corpus, book).report.to_json()
            low, high = found["macro_f1_interval"]
            base = found["baselines"]
            print(
                f"| {corpus.sources[0].name} | {recipe.name} | {100 * found['macro_f1']:.1f} | "
                f"{100 * low:.1f} to {100 * high:.1f} | {100 * found['ece']:.1f} | "
                f"{100 * base['target_blind']['macro_f1']:.1f} | "
                f"{100 * base['majority']['macro_f1']:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
