"""How pages look: light and dark, phone and desktop, screen and paper."""

LIGHT = {
    "paper": "#ffffff",
    "panel": "#f6f5f2",
    "ink": "#1b1b1b",
    "muted": "#595959",
    "rule": "#d8d6d0",
    "link": "#0b5a8c",
    "warn": "#fff3d6",
    "against": "#d55e00",
    "on-against": "#000000",
    "neutral": "#cfcdc8",
    "on-neutral": "#000000",
    "favor": "#0072b2",
    "on-favor": "#ffffff",
    "band": "#0072b2",
    "mark-against": "#fbdcc3",
    "mark-favor": "#cfe6f5",
    "mark-neutral": "#e6e4df",
    **{f"net{i}": shade for i, shade in enumerate(
        ("#d55e00", "#f0a06a", "#fbdcc3", "#efeeea", "#cfe6f5", "#7fbbe0", "#0072b2")
    )},
    **{f"on-net{i}": "#ffffff" if i == 6 else "#000000" for i in range(7)},
    **{f"heat{i}": shade for i, shade in enumerate(
        ("#f4f7f9", "#d6e6f0", "#a9cbe1", "#6ba5cb", "#0f5f92")
    )},
    **{f"on-heat{i}": "#ffffff" if i == 4 else "#000000" for i in range(5)},
}  # fmt: skip
"""Colours on white: those of Okabe and Ito (2008), "Color Universal Design", and tints of them."""

DARK = {
    "paper": "#15171a",
    "panel": "#1e2126",
    "ink": "#ececea",
    "muted": "#b3b3b0",
    "rule": "#3d4148",
    "link": "#86c5ee",
    "warn": "#3a3016",
    "against": "#e69f00",
    "on-against": "#000000",
    "neutral": "#696d75",
    "on-neutral": "#ffffff",
    "favor": "#56b4e9",
    "on-favor": "#000000",
    "band": "#56b4e9",
    "mark-against": "#5a3c10",
    "mark-favor": "#123f58",
    "mark-neutral": "#3a3e45",
    **{f"net{i}": shade for i, shade in enumerate(
        ("#e69f00", "#a06c08", "#513a12", "#2a2d33", "#17415a", "#2a7aa8", "#56b4e9")
    )},
    **{f"on-net{i}": "#000000" if i in (0, 1, 6) else "#ffffff" for i in range(7)},
    **{f"heat{i}": shade for i, shade in enumerate(
        ("#20252b", "#1b3b50", "#1f5878", "#2b769f", "#7cc4ee")
    )},
    **{f"on-heat{i}": "#000000" if i == 4 else "#ffffff" for i in range(5)},
}  # fmt: skip
"""Colours on near-black."""

NETS, HEATS = 7, 5
"""Shades of a net stance, from against to favor, and of a share, from none to all."""

_RULES = """
* { box-sizing: border-box; }
html { color-scheme: light dark; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
  overflow-wrap: anywhere; }
main, header, footer { max-width: 62rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 2rem; }
h1, h2 { font-family: Charter, "Bitstream Charter", Georgia, Cambria, "Liberation Serif", serif;
  line-height: 1.15; font-weight: 700; text-wrap: balance; }
h1 { font-size: clamp(1.6rem, 5vw, 2.5rem); margin: 0 0 .6rem; }
h2 { font-size: 1.5rem; margin: 0 0 .8rem; }
h3 { font-size: 1.05rem; margin: 1.6rem 0 .5rem; }
section { border-top: 3px solid var(--ink); margin-top: 2.8rem; padding-top: .9rem; }
p { max-width: 44rem; margin: .5rem 0 .9rem; }
.lead { font-size: 1.15rem; line-height: 1.5; }
.note, figcaption p, caption, .facts dt, .legend { color: var(--muted); }
.note, figcaption p { font-size: .875rem; line-height: 1.45; }
a { color: var(--link); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); gap: 0 1.1rem;
  margin: 1.4rem 0 0; }
.facts div { display: grid; grid-template-rows: subgrid; grid-row: span 2;
  align-content: start; border-top: 1px solid var(--rule); padding: .5rem 0 .7rem; }
.facts dt { font-size: .8rem; line-height: 1.3; }
.facts dd { margin: 0; font-size: 1.15rem; font-weight: 650; line-height: 1.25;
  font-variant-numeric: tabular-nums; }
.facts dd small { display: block; font-size: .8rem; font-weight: 400; color: var(--muted); }
.warnings { background: var(--warn); border-left: 5px solid var(--against);
  padding: .8rem 1.1rem; margin: 1.6rem 0 0; }
.warnings h2 { font: inherit; font-weight: 700; margin: 0; }
.warnings ul { margin: .3rem 0 0; padding-left: 1.1rem; max-width: 50rem; }
.warnings li { margin: .2rem 0; }
nav { margin: 1.4rem 0 0; font-size: .875rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .5rem 1.2rem; margin: 0; padding: 0;
  list-style: none; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 25rem), 1fr));
  gap: 0 2.4rem; }
.flow { columns: 25rem 2; column-gap: 2.4rem; }
.many { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr));
  gap: .6rem 2rem; }
figure { margin: .4rem 0 1.6rem; min-width: 0; break-inside: avoid; }
.pair > figure { display: grid; grid-template-rows: subgrid; grid-row: span 4;
  grid-template-columns: minmax(0, 1fr); align-content: start; }
section > figure { max-width: 46rem; } section > figure.wide { max-width: none; }
figcaption { margin-bottom: .5rem; }
figcaption h3 { margin: 0; }
figcaption p { margin: .1rem 0 0; }
figure > div > svg { display: block; width: 100%; overflow: visible; }
svg text { font-size: 12.5px; fill: var(--ink); font-variant-numeric: tabular-nums;
  unicode-bidi: isolate; }
svg .quiet { fill: var(--muted); }
svg .strong { font-weight: 650; }
svg .strong, svg .quiet { paint-order: stroke; stroke: var(--paper); stroke-width: 3px;
  stroke-linejoin: round; }
svg .end { text-anchor: end; } svg .middle { text-anchor: middle; }
.grid { stroke: var(--rule); stroke-width: 1; } .axis { stroke: var(--muted); stroke-width: 1; }
.dashed { stroke-dasharray: 4 3; }
.line, .whisker { fill: none; stroke-width: 2; vector-effect: non-scaling-stroke; }
.band { opacity: .22; }
.ink { fill: var(--ink); stroke: var(--ink); }
.against { fill: var(--against); stroke: var(--against); }
.neutral { fill: var(--neutral); stroke: var(--neutral); }
.favor { fill: var(--favor); stroke: var(--favor); }
.quietly { fill: var(--muted); stroke: var(--muted); }
.line, .whisker { fill: none; }
.segment, .band { stroke: none; }
.segment { stroke: var(--paper); stroke-width: 1; }
svg .on-against { fill: var(--on-against); } svg .on-neutral { fill: var(--on-neutral); }
svg .on-favor { fill: var(--on-favor); }
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; font-size: .875rem;
  margin: .2rem 0 .5rem; padding: 0; list-style: none; }
.legend svg { display: inline-block; width: 16px; height: 12px; margin-right: .35rem;
  vertical-align: -1px; }
.key { display: flex; flex-wrap: wrap; gap: 2px; font-size: .8rem; margin: .4rem 0; padding: 0;
  list-style: none; }
.key li { padding: .1rem .5rem; }
.scroll { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; font-size: .875rem; line-height: 1.35;
  font-variant-numeric: tabular-nums; margin: .4rem 0; }
caption { text-align: left; padding-bottom: .3rem; }
th, td { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid var(--rule);
  vertical-align: top; overflow-wrap: normal; }
th { font-weight: 600; }
thead th { vertical-align: bottom; border-bottom: 1px solid var(--ink); }
tbody th, .text { text-align: left; }
.text, tbody th { max-width: 24rem; min-width: 5.5rem; overflow-wrap: anywhere; }
tbody th, thead .text { overflow-wrap: break-word; }
.scroll tbody th { position: sticky; left: 0; background: var(--paper); }
.heat td { text-align: center; border: 2px solid var(--paper); min-width: 4rem;
  line-height: 1.2; }
.heat thead th { text-align: center; min-width: 4.8rem; max-width: 8rem; overflow-wrap: break-word;
  border-bottom: 0; font-weight: 400; }
.heat tbody th { border-bottom: 0; max-width: 9rem; min-width: 6.6rem; overflow-wrap: break-word; }
.heat td small { display: block; font-size: .75rem; }
.heat .few { background: transparent; color: var(--muted); }
details { font-size: .875rem; margin: .4rem 0; }
summary { cursor: pointer; color: var(--link); }
.examples { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr));
  gap: 0 2.4rem; }
.examples h4 { margin: .3rem 0 .4rem; font-size: .9rem; padding-left: .6rem; }
.examples h4.against { border-left: 6px solid var(--against); }
.examples h4.favor { border-left: 6px double var(--favor); }
blockquote { margin: 0 0 1rem; padding: 0 0 .7rem; border-bottom: 1px solid var(--rule);
  break-inside: avoid; }
blockquote p { margin: 0 0 .25rem; white-space: pre-line; }
mark { color: inherit; padding: 0 .1em; border-radius: .15em; }
mark.against { background: var(--mark-against); border-bottom: 2px solid var(--against); }
mark.neutral { background: var(--mark-neutral); border-bottom: 2px dotted var(--muted); }
mark.favor { background: var(--mark-favor); border-bottom: 3px double var(--favor); }
pre { background: var(--panel); padding: .8rem 1rem; font-size: .8rem; line-height: 1.45;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.paste { background: var(--panel); padding: .8rem 1rem; max-width: none; }
code { font-size: .9em; }
footer { margin: 3rem auto 2rem; color: var(--muted); font-size: .875rem; }
@media print {
  body { font-size: 10pt; }
  main, header, footer { max-width: none; padding: 0; }
  section { margin-top: 1.4rem; }
  h2, h3, h4, figcaption, .legend, .key { break-after: avoid; }
  figure { break-inside: auto; }
  figure > div:nth-child(2) { break-after: avoid; }
  svg, blockquote, tr, figcaption, .facts, .warnings, .many > figure { break-inside: avoid; }
  .pair, .pair > figure { display: block; }
  .examples { grid-template-columns: 1fr 1fr; font-size: 9pt; }
  .many { grid-template-columns: 1fr 1fr; }
  details, .download, nav { display: none; }
  .scroll { overflow: visible; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""


def _variables(colours: dict[str, str]) -> str:
    return "".join(f"--{name}:{colour};" for name, colour in colours.items())


def stylesheet() -> str:
    """Return the style of every page; on paper the light colours hold."""
    shades = "".join(
        f".{kind}{i} {{ background: var(--{kind}{i}); color: var(--on-{kind}{i}); }}\n"
        for kind, count in (("net", NETS), ("heat", HEATS))
        for i in range(count)
    )
    dark = f"@media screen and (prefers-color-scheme: dark) {{ :root {{{_variables(DARK)}}} }}\n"
    return f"\n:root {{{_variables(LIGHT)}}}\n{dark}{_RULES}{shades}"
