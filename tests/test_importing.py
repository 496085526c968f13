"""Data sets and tools' exports become corpora row by row, and anything else is refused."""

import csv
import json
import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_label import rows_of, sample

from stance.cli.data import IMPORTED
from stance.corpus import read_corpus
from stance.errors import DataError, OutputError, StanceError, UsageError
from stance.importing import COLUMNS, FORMATS, import_corpus, parse_map
from stance.labelling import Label, Store, export_labels, read_task

CORPORA = Path(__file__).resolve().parents[2] / "shared" / "corpora"
BEFORE = "\U0001f600 Caf\u0065\u0301: "  # an emoji of two UTF-16 units, an accent of its own
TEXT = f"{BEFORE}Poland praised NATO and blamed Russia."


def at(name, text=TEXT):
    """Return where a name stands, in code points."""
    start = text.index(name)
    return start, start + len(name)


def units(place, text=TEXT):
    """Return a place in UTF-16 units, as JavaScript and Java count."""
    return tuple(len(text[:end].encode("utf-16-le")) // 2 for end in place)


def imported(form, source, *, only=None, **given):
    """Import a file or folder; return what is told and the rows, with these columns."""
    output = source.parent / "out.csv"
    told = import_corpus(form, source, output, force=True, **given)
    with output.open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    check_spans(rows)
    read_corpus([output])
    return told, [tuple(row[name] for name in only) for row in rows] if only else rows


def check_spans(rows):
    for row in rows:
        for place in filter(None, row["spans"].split(";")):
            start, end = map(int, place.split(":"))
            assert 0 <= start < end <= len(row["text"])


def write(folder, files):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return folder


def lines(*items):
    return "\n".join(item if isinstance(item, str) else json.dumps(item) for item in items)


def one(tmp_path, form, data, name="source.jsonl", **given):
    write(tmp_path, {name: data})
    return imported(form, tmp_path / name, **given)


# --- NewsMTSC and MAD-TSC ---


def target(mention, start, end, polarity, gid="g", **more):
    own = {"Input.gid": gid, "from": start, "to": end, "mention": mention, "polarity": polarity}
    return own | more


def sentence(text="NATO met Trump\u2019s aides.", gid="allsides_1000_401_25_NATO_0_4", **changes):
    targets = [target("NATO", 0, 4, 4.0, "g1"), target("Trump", 9, 14, 2.0, "g2")]
    return {"primary_gid": gid, "sentence_normalized": text, "targets": targets} | changes


def test_newsmtsc_has_one_row_per_target(tmp_path):
    text = sentence()["sentence_normalized"]
    data = lines("\ufeff" + json.dumps(sentence()), "", sentence("It.", "a_b_c_d", targets=[]))
    told, _ = one(tmp_path, "newsmtsc", data)
    document = "allsides_1000_401"
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as table:
        assert list(csv.reader(table)) == [
            list(COLUMNS),
            ["g1", document, "NATO", "0:4", "neutral", text],
            ["g2", document, "Trump", "9:14", "against", text],
        ]
    end = f"{tmp_path}/source.jsonl: 2 rows of newsmtsc written to {tmp_path}/out.csv"
    assert told == [end]


def test_newsmtsc_sentences_of_an_article_share_a_document(tmp_path):
    data = [sentence(gid="a_1_2_3_x"), sentence("NATO met Trump.", "a_1_2_9_y")]
    _, rows = one(tmp_path, "newsmtsc", lines(*data, sentence("NATO or Trumps.", "a_1_3_3_x")))
    assert [row["document"] for row in rows[::2]] == ["a_1_2", "a_1_2", "a_1_3"]


def test_madtsc_marks_further_mentions(tmp_path):
    more = [{"from": 9, "to": 14, "mention": "Trump"}]
    record = sentence(targets=[target("NATO", 0, 4, 6, further_mentions=more)])
    told, rows = one(tmp_path, "madtsc", lines(record), only=("actor", "spans", "stance"))
    assert rows == [("NATO", "0:4;9:14", "favor")]
    assert "madtsc: it names no article" in told[0]


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("{", r"source.jsonl:2: not JSON at column 2; name a file of the set"),
        ("NATO,favor", r"source.jsonl:2: not JSON at column 1"),
        ("{} {}", r"source.jsonl:2: not JSON at column 3"),
        ("[" * 1_000_000, r"source.jsonl:2: too long or too deep for JSON"),
        ('{"a": ' + "9" * 5000 + "}", r"source.jsonl:2: too long or too deep for JSON"),
        ("[]", r"source.jsonl:2: is a list, not an object; name"),
        ("3", r"source.jsonl:2: is a number, not an object"),
        ({"text": "x"}, r"source.jsonl:2: has no key 'primary_gid'; name"),
        (sentence(targets=None), r"source.jsonl:2: has no key 'targets'"),
        (sentence(targets={}), r"source.jsonl:2: targets is an object, not a list"),
        (sentence(targets=[{"from": 0}]), r"2: targets\[0\] has no key 'to'"),
        (sentence(primary_gid=7), "2: primary_gid is a number, not a text"),
        (sentence(sentence_normalized=["a"] * 9), "2: sentence_normalized is a list, not a text"),
        (sentence(targets=[target(None, 0, 4, 4.0)]), r"targets\[0\] has no key 'mention'"),
        (sentence(targets=[target("NATO", 0.5, 4, 4.0)]), r"from is a number with a fraction, n"),
        (sentence(targets=[target("NATO", "0", 4, 4.0)]), r"targets\[0\].from is a text, not a wh"),
        (sentence(targets=[target("NATO", True, 4, 4.0)]), r"from is true or false, not a whole"),
        (sentence(targets=[target("NATO", 0, 4, 5.0)]), r"polarity is 5.0, not 2, 4 or 6"),
        (sentence(targets=[target("NATO", 0, 4, 10**400)]), r"polarity is too large a number"),
        (sentence(targets=[target("NATO", 0, 99, 4)]), "is 0:99, which lies outside the sentence"),
        (sentence(targets=[target("NATO", -1, 4, 4)]), "is -1:4, which lies outside"),
        (sentence(targets=[target("NATO", 4, 4, 4)]), "is 4:4, which lies outside"),
        (sentence("\ud800 and NATO, Trump"), "2: text holds half a character"),
        (sentence("\0 and NATO, Trump"), "2: text holds a NUL character"),
        (sentence(targets=[target(" ", 0, 4, 4)]), "2: the actor is empty; name the actor"),
    ],
)
def test_what_is_no_newsmtsc_sentence_is_refused(tmp_path, line, match):
    with pytest.raises(DataError, match=match) as caught:
        one(tmp_path, "newsmtsc", lines(sentence(), line))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
    assert not (tmp_path / "out.csv").exists()


# --- Public tables ---

RUSENTNE = "sentence\tentity\tentity_tag\tentity_pos_start_rel\tentity_pos_end_rel\tlabel"


def test_rusentne_has_one_row_per_entity(tmp_path):
    data = lines(
        RUSENTNE,
        "Россия и «НАТО» спорят.\tРоссия\tCOUNTRY\t0\t6\t-1",
        "Россия и «НАТО» спорят.\tНАТО\tORGANIZATION\t10\t14\t1",
        "Дождь в Москве.\tМоскве\tCITY\t8\t14\t0",
    )
    _, rows = one(tmp_path, "rusentne", data, "train.csv", only=COLUMNS)
    assert rows == [
        ("1", "s1", "Россия", "0:6", "against", "Россия и «НАТО» спорят."),
        ("2", "s1", "НАТО", "10:14", "favor", "Россия и «НАТО» спорят."),
        ("3", "s2", "Москве", "8:14", "neutral", "Дождь в Москве."),
    ]


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("Text.\tText\tT\t0\t4\t2", r"train.csv:3: stance '2' is not one of -1, 0, 1; name"),
        ("Text.\tText\tT\t0\t4\t", r"train.csv:3: stance '' is not one of -1, 0, 1"),
        ("Text.\tText\tT\t0\t9\t1", r"train.csv:3: 0:9 does not lie inside the text"),
        ("Text.\tText\tT\t4\t4\t1", r"train.csv:3: 4:4 does not lie inside"),
        ("Text.\tText\tT\t-1\t4\t1", r"train.csv:3: -1:4 does not lie inside"),
        ("Text.\tText\tT\t0\tx\t1", r"train.csv:3: 0:x does not lie inside"),
        ("Text.\tText\tT\t0\t" + "9" * 5000 + "\t1", r"train.csv:3: 0:9+… does not lie inside"),
        ("Text.\tText", r"train.csv:3:? "),
    ],
)
def test_what_is_no_rusentne_row_is_refused(tmp_path, line, match):
    with pytest.raises(DataError, match=match):
        one(tmp_path, "rusentne", lines(RUSENTNE, "Text.\tText\tT\t0\t4\t1", line), "train.csv")
    assert not (tmp_path / "out.csv").exists()


def test_the_test_split_without_labels_is_refused(tmp_path):
    header = RUSENTNE.removesuffix("\tlabel")
    with pytest.raises(DataError, match="no column 'label'"):
        one(tmp_path, "rusentne", lines(header, "Text.\tText\tT\t0\t4"), "test.csv")


TABLES = {
    "semeval2016": (
        "ID\tTarget\tTweet\tStance\n101\tAtheism\tFaith “helps” me.\tAGAINST\n"
        "102\tHillary Clinton\tVote Hillary!\tFAVOR\n103\tAtheism\tIt rains.\tNONE\n",
        [
            ("101", "s1", "Atheism", "against", "Faith “helps” me."),
            ("102", "s2", "Hillary Clinton", "favor", "Vote Hillary!"),
            ("103", "s3", "Atheism", "neutral", "It rains."),
        ],
    ),
    "pstance": (
        "Tweet,Target,Stance\n#Biden2020 !,Joe Biden,FAVOR\n",
        [("1", "s1", "Joe Biden", "favor", "#Biden2020 !")],
    ),
    "vast": (
        "author,post,ori_topic,new_topic,label,new_id,arc_id\n"
        'ann,"No, never.",guns,gun control,0,7,a1\nbob,Yes.,guns,gun control,1,8,a1\n'
        "bob,Yes.,cars,electric cars,2,9,a1\n",
        [
            ("7", "a1", "gun control", "against", "No, never."),
            ("8", "a1", "gun control", "favor", "Yes."),
            ("9", "a1", "electric cars", "neutral", "Yes."),
        ],
    ),
    "xstance": (
        lines(
            {"id": 5, "language": "de", "question_id": 3, "question": "Mehr Geld für Bahnen?"}
            | {"comment": "Ja, Züge!", "label": "FAVOR", "numerical_label": 75, "author": "8a"}
        ),
        [("5", "8a", "Mehr Geld für Bahnen?", "favor", "Ja, Züge!")],
    ),
    "sentfin": (
        "S No.,Title,Decisions,Words\n"
        '1,Gold shines as banks fall,"{""Gold"": ""positive"", ""banks"": ""negative""}",5\n',
        [
            ("1", "1", "Gold", "favor", "Gold shines as banks fall"),
            ("1", "1", "banks", "against", "Gold shines as banks fall"),
        ],
    ),
    "persent": (
        "DOCUMENT_INDEX,TITLE,TARGET_ENTITY,DOCUMENT,TRUE_SENTIMENT,Paragraph0,Paragraph1,"
        'Paragraph2\n4,Up,Ann Lee,"Ann Lee won.\nShe smiled.\nRain.",Positive,Positive,Neutral,\n',
        [
            ("4-0", "4", "Ann Lee", "favor", "Ann Lee won."),
            ("4-1", "4", "Ann Lee", "neutral", "She smiled."),
        ],
    ),
}


NAMED = ("source.txt", "source.jsonl")


@pytest.mark.parametrize("form", TABLES)
def test_public_tables(tmp_path, form):
    data, expected = TABLES[form]
    only = ("id", "document", "actor", "stance", "text")
    told, rows = one(tmp_path, form, data, NAMED[form == "xstance"], only=only)
    assert rows == expected
    assert all(line.startswith((f"{form}: ", str(tmp_path))) for line in told)


def test_what_fits_badly_is_said(tmp_path):
    topics = "the actor is a topic or a question"
    for form in ("semeval2016", "vast", "xstance"):
        told, _ = one(tmp_path, form, TABLES[form][0], NAMED[form == "xstance"])
        assert any(topics in line for line in told), form
    told, _ = one(tmp_path, "persent", TABLES["persent"][0], "train.csv")
    assert any("TRUE_SENTIMENT, the label of the whole article, is not" in line for line in told)


def test_semeval2016_is_read_in_its_own_encoding(tmp_path):
    data = TABLES["semeval2016"][0].encode("cp1252")
    with pytest.raises(DataError, match=r"source.txt:2: .*--encoding"):
        one(tmp_path, "semeval2016", data, "source.txt")
    _, rows = one(tmp_path, "semeval2016", data, "source.txt", encoding="cp1252")
    assert rows[0]["text"] == "Faith “helps” me."


def test_semeval2016_with_sentiment(tmp_path):
    data = "Tweet,Target,Stance,Opinion Towards,Sentiment\nHi.,Atheism,NONE,3,other\n"
    _, rows = one(tmp_path, "semeval2016", data, "t.csv", only=("stance", "sentiment"))
    assert rows == [("neutral", "neutral")]


@pytest.mark.parametrize(
    ("cell", "match"),
    [
        ("{", "t.csv:2: Decisions: not JSON at column 2"),
        ("[]", "t.csv:2: Decisions is a list, not an object"),
        ('{""A"": 3}', "t.csv:2: Decisions.A is a number, not a text"),
        ('{""A"": ""up""}', "t.csv:2: stance 'up' in row 1 is not a label"),
    ],
)
def test_what_is_no_sentfin_row_is_refused(tmp_path, cell, match):
    with pytest.raises(DataError, match=match):
        one(tmp_path, "sentfin", f'S No.,Title,Decisions\n1,A,"{cell}"\n', "t.csv")


def test_any_table_with_a_map(tmp_path):
    data = "key,body,who,say,from,upto,url\n1,NATO met.,NATO,yes,0,4,http://x\n"
    names = parse_map("text=body,actor=who,stance=say,start=from,end=upto,id=key")
    given = {"names": names, "labels": {"yes": "favor"}}
    told, rows = one(tmp_path, "table", data, "t.csv", **given)
    expected = {"id": "1", "document": "", "actor": "NATO", "spans": "0:4", "stance": "favor"}
    assert rows == [expected | {"text": "NATO met.", "url": "http://x"}]
    assert any("stance labels read as yes -> favor" in line for line in told)


@pytest.mark.parametrize(
    ("names", "match"),
    [
        ({}, "no column 'text'; did you mean --map text='body'"),
        ({"text": "bodi"}, "no column 'bodi'; did you mean --map text='body'"),
        ({"text": "body", "note": "url"}, "no column 'url'; it has body, actor, stance, holder"),
        (
            {"text": "body", "holder": "actor", "actor": "holder"},
            r"t.csv:2: stance 'love' in row 1",
        ),
    ],
)
def test_a_map_that_does_not_fit(tmp_path, names, match):
    data = "body,actor,stance,holder\nNATO met.,NATO,love,\n"
    with pytest.raises(DataError, match=match):
        one(tmp_path, "table", data, "t.csv", names=names)


def test_a_column_is_not_there_twice_but_for_an_empty_one(tmp_path):
    data = "body,text,actor,stance\nNATO met.,{},NATO,favor\n"
    expected = r"t.csv:2: column 'text' would occur twice, and is not empty; rename it"
    with pytest.raises(DataError, match=expected):
        one(tmp_path, "table", data.format("x"), "t.csv", names={"text": "body"})
    _, rows = one(tmp_path, "table", data.format(""), "t.csv", names={"text": "body"})
    assert [row["text"] for row in rows] == ["NATO met."]


@pytest.mark.parametrize("option", ["text", "=body", "text=", "text=a,text=b"])
def test_what_is_no_map_is_refused(option):
    with pytest.raises(UsageError, match=r"--map: .* such as text=body,actor=target"):
        parse_map(option)


def test_no_column_is_read_as_two():
    why = "--map: column 'body' cannot be both text and actor; name a column for each, or copy it"
    with pytest.raises(UsageError, match=re.escape(why)):
        parse_map("text=body,stance=say,actor=body")


def test_a_set_with_names_of_its_own_takes_no_map(tmp_path):
    with pytest.raises(UsageError, match="--map: vast has names of its own"):
        import_corpus("vast", tmp_path, tmp_path / "out.csv", names={"text": "post"})


def test_a_file_that_is_no_table_takes_no_encoding(tmp_path):
    with pytest.raises(UsageError, match="--encoding is about tables, which files of brat are"):
        import_corpus("brat", tmp_path, tmp_path / "out.csv", encoding="cp1252")


# --- Opinions with holders ---


def opinion(source, place, goal, places, sign="NEG"):
    words = {"Source": [[source], [place]], "Target": [goal, places]}
    return words | {"Polar_expression": [["зло"], ["0:1"]], "Polarity": sign}


def test_ruopinionne_keeps_holders(tmp_path):
    text = "\U0001f600 Россия осудила НАТО и Киев."
    places = {name: "{}:{}".format(*at(name, text)) for name in ("Россия", "НАТО", "Киев")}
    opinions = [
        opinion("Россия", places["Россия"], ["НАТО"], [places["НАТО"]]),
        opinion("AUTHOR", "NULL", ["Киев"], [places["Киев"]], "POS"),
        opinion("NULL", "NULL", ["Россия"], [places["Россия"]]),
    ]
    data = [{"sent_id": 1, "text": text, "opinions": opinions}]
    data += [{"sent_id": 2, "text": "Дождь.", "opinions": []}]
    only = ("id", "actor", "spans", "stance", "holder")
    told, rows = one(tmp_path, "ruopinionne", lines(*data), only=only)
    assert rows == [
        ("1", "НАТО", places["НАТО"], "against", "Россия"),
        ("1", "Киев", places["Киев"], "favor", "author"),
        ("1", "Россия", places["Россия"], "against", ""),
    ]
    assert "ruopinionne: left out: 1 sentence without an opinion" in told
    assert any("it has no neutral label" in line for line in told)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"opinions": None}, "source.jsonl:1: has no key 'opinions'"),
        (
            {"opinions": [opinion("A", "0:1", ["B"], ["0:99"])]},
            r"Target\[1\]\[0\] is '0:99', which",
        ),
        ({"opinions": [opinion("A", "0:1", ["B"], ["x"])]}, r"is 'x', which is not a place"),
        ({"opinions": [opinion("A", "0:1", ["B"], [])]}, r"opinions\[0\].Target is not two lists"),
        ({"opinions": [opinion("A", "0:1", ["B"], ["0:1"], "BAD")]}, r"Polarity is 'BAD', not POS"),
    ],
)
def test_what_is_no_opinion_is_refused(tmp_path, change, match):
    with pytest.raises(DataError, match=match):
        one(tmp_path, "ruopinionne", lines({"sent_id": 1, "text": "AB", "opinions": []} | change))


def seesaw(triplets, texts=("Obama scolds Congress.", "")):
    article = {"title": "t", "text": [{"id": n, "text": text} for n, text in enumerate(texts)]}
    stances = {"title": "t", "sentence-level stances": triplets}
    names = ("articles", "annotations")
    files = zip(names, (article, stances), strict=True)
    return {f"SEESAW/{name}/TRIPLET_0_DOCUMENT_1.json": json.dumps(own) for name, own in files}


def triplet(subject, sign, goal, *annotators):
    return {"subject": subject, "sentiment": sign, "object": goal, "annotators": list(annotators)}


def test_seesaw_keeps_holders_and_coders_apart(tmp_path):
    said = [triplet("Barack Obama", "NEG", "Congress", "A", "B")]
    said += [triplet("Not in the list", "POS", "Barack Obama", "B")]
    said += [triplet("Author", "NEG", "Not in the list", "A")]
    said += [triplet("None", "POS", "Congress", "C")]
    meta = {"SEESAW/meta/TRIPLET_0.json": json.dumps({"triplet_id": "0", "Split": "train"})}
    write(tmp_path, seesaw({"0": said}) | meta)
    only = ("split", "id", "document", "actor", "stance", "holder", "coder", "text")
    told, rows = imported("seesaw", tmp_path / "SEESAW", only=only)
    ids, text = (
        ("train", "TRIPLET_0_DOCUMENT_1-0", "TRIPLET_0_DOCUMENT_1"),
        "Obama scolds Congress.",
    )
    assert rows == [
        (*ids, "Congress", "against", "Barack Obama", "A", text),
        (*ids, "Congress", "against", "Barack Obama", "B", text),
        (*ids, "Barack Obama", "favor", "other", "B", text),
        (*ids, "Congress", "favor", "", "C", text),
    ]
    assert "seesaw: 3 coders in long form: A, B, C" in told
    assert any("1 stance toward an actor that is not in the list" in line for line in told)


@pytest.mark.parametrize(
    ("triplets", "match"),
    [
        ({"7": []}, "stances.7 names a sentence that the article does not have"),
        ({"0": [triplet("A", "BAD", "B", "A")]}, r"stances.0\[0\].sentiment is 'BAD', not POS"),
        ({"0": [3]}, r"stances.0\[0\] is a number"),
    ],
)
def test_what_is_no_seesaw_article_is_refused(tmp_path, triplets, match):
    write(tmp_path, seesaw(triplets))
    with pytest.raises(DataError, match=rf"TRIPLET_0_DOCUMENT_1.json: sentence-level {match}"):
        imported("seesaw", tmp_path / "SEESAW")


def test_a_folder_may_lie_in_one_called_annotations(tmp_path):
    write(tmp_path / "annotations", seesaw({"0": [triplet("Author", "NEG", "Congress", "A")]}))
    _, rows = imported("seesaw", tmp_path / "annotations" / "SEESAW", only=("stance",))
    assert rows == [("against",)]


def test_seesaw_without_its_articles(tmp_path):
    write(tmp_path, seesaw({}))
    (tmp_path / "SEESAW" / "articles" / "TRIPLET_0_DOCUMENT_1.json").unlink()
    with pytest.raises(DataError, match=r"articles/TRIPLET_0_DOCUMENT_1.json: cannot be read"):
        imported("seesaw", tmp_path / "SEESAW")
    with pytest.raises(DataError, match="has no folder annotations; name the folder that holds"):
        imported("seesaw", write(tmp_path / "other", {"a.json": "{}"}))


def biased(place, words, goal, sign, quote="no", speaker=""):
    own = {"id": place, "txt": words, "start": 0, "end": 4, "target": goal, "polarity": sign}
    return own | {"aim": "dir", "bias": "lex", "quote": quote, "speaker": speaker}


def basil(*spans, inner=""):
    article = {"title": "Steele slips", "date": "2010-07-02", "source": "nyt"}
    article["body-paragraphs"] = [["Steele was rude.", "Rain fell."], ["Obama erred, he said."]]
    annotations = {"phrase-level-annotations": list(spans)}
    return {
        "BASIL/articles/2010/ab_1.json": json.dumps(article),
        f"BASIL/annotations/{inner}2010/ab_1_ann.json": json.dumps(annotations),
    }


@pytest.mark.parametrize("inner", ["", "resolved/"])
def test_basil_has_one_row_per_bias_of_a_sentence(tmp_path, inner):
    spans = [
        biased("p0", "was", "Michael_Steele", "neg"),
        biased("p0", "rude", "Michael_Steele", "neg"),
        biased("p2", "erred", "Barack_Obama", "neg", "yes", "Michael_Steele"),
        biased("p2", "he", "Michael_Steele", "pos", "yes", "other_anti"),
        biased("title", "slips", "Michael_Steele", "neg"),
    ]
    write(tmp_path, basil(*spans, inner=inner))
    only = ("document", "id", "actor", "stance", "holder", "source", "date", "text")
    told, rows = imported("basil", tmp_path / "BASIL", only=only)
    tail = ("nyt", "2010-07-02")
    assert rows == [
        ("ab_1", "p0", "Michael Steele", "against", "author", *tail, "Steele was rude."),
        ("ab_1", "p2", "Barack Obama", "against", "Michael Steele", *tail, "Obama erred, he said."),
        ("ab_1", "p2", "Michael Steele", "favor", "other", *tail, "Obama erred, he said."),
        ("ab_1", "title", "Michael Steele", "against", "author", *tail, "Steele slips"),
    ]
    assert any("it labels biased sentences alone" in line for line in told)


@pytest.mark.parametrize(
    ("span", "match"),
    [
        (biased("p9", "", "A", "neg"), r"annotations\[0\].id is 'p9', which is not a sentence"),
        (biased("x", "", "A", "neg"), r"annotations\[0\].id is 'x', which is not a sentence"),
        (biased("p0", "", "A", "bad"), r"annotations\[0\].polarity is 'bad', not pos, neg"),
        (biased("p0", "", 3, "neg"), r"annotations\[0\].target is a number, not a text"),
    ],
)
def test_what_is_no_bias_is_refused(tmp_path, span, match):
    write(tmp_path, basil(span))
    with pytest.raises(DataError, match=rf"ab_1_ann.json: phrase-level-{match}"):
        imported("basil", tmp_path / "BASIL")


ARTICLE = f"Talks\n\n{TEXT}\n\nRain fell on Ukraine.\n"


def framing(*rows):
    return {
        "EN/raw-documents/EN_1.txt": ARTICLE,
        "EN/subtask-1-annotations.txt": "\n".join("\t".join(map(str, row)) for row in rows),
    }


def role(name, main, *finer):
    start, end = at(name, ARTICLE)
    return ("EN_1.txt", name, start, end - 1, main, *finer)


def test_semeval2025_ends_are_inclusive_and_roles_are_stances(tmp_path):
    rows = [role("NATO", "Protagonist", "Guardian"), role("Russia", "Antagonist", "Spy", "Bigot")]
    rows += [role("Ukraine", "Innocent", "Victim"), ("EN_1.txt", "Kyiv", 0, 3, "Antagonist")]
    write(tmp_path, framing(*rows))
    only = ("document", "actor", "spans", "stance", "roles", "text")
    told, found = imported("semeval2025", tmp_path / "EN", only=only)
    spans = {name: "{}:{}".format(*at(name)) for name in ("NATO", "Russia")}
    assert found == [
        ("EN_1.txt", "NATO", spans["NATO"], "favor", "Guardian", TEXT),
        ("EN_1.txt", "Russia", spans["Russia"], "against", "Spy;Bigot", TEXT),
    ]
    assert "semeval2025: left out: 1 mention that is not at its place" in told
    assert "semeval2025: labels that are not stances: 'Innocent' 1; see --labels" in told
    labels = {"Innocent": "favor"}
    _, found = imported("semeval2025", tmp_path / "EN", only=("actor", "stance"), labels=labels)
    assert found[-1] == ("Ukraine", "favor")


@pytest.mark.parametrize(
    ("row", "match"),
    [
        (("EN_1.txt", "NATO", 3, 7), "txt:1: not article, mention, start, end and main role betw"),
        (("EN_1.txt", "NATO", 3, 999, "Innocent"), "txt:1: 3:999 lies outside the 7[0-9] char"),
        (("EN_1.txt", "NATO", 9, 3, "Innocent"), "txt:1: 9:3 lies outside"),
        (("EN_2.txt", "NATO", 0, 3, "Innocent"), "txt:1: no article EN_2.txt in raw-documents"),
        (("../EN_1.txt", "NATO", 0, 3, "Innocent"), "'../EN_1.txt' is not the name of an article"),
        (("E" * 300, "NATO", 0, 3, "Innocent"), "txt:1: no article EEE"),
    ],
)
def test_what_is_no_framing_is_refused(tmp_path, row, match):
    write(tmp_path, framing(row))
    with pytest.raises(DataError, match=match):
        imported("semeval2025", tmp_path / "EN")


# --- Tools ---


def test_doccano_pairs_and_spans(tmp_path):
    nato, russia = units(at("NATO")), units(at("Russia"))
    items = [
        {
            "id": 1,
            "text": TEXT,
            "label": ["favor"],
            "actor": "NATO",
            "Comments": [],
            "date": "2024",
        },
        {"id": 2, "text": TEXT, "label": [[*nato, "favor"], [*russia, "against"], [3, 6, "X"]]},
        {"id": 3, "text": TEXT, "label": []},
    ]
    told, rows = one(tmp_path, "doccano", lines(*items), only=("id", "actor", "spans", "stance"))
    assert rows == [
        ("1", "NATO", "", "favor"),
        ("2", "NATO", "{}:{}".format(*at("NATO")), "favor"),
        ("2", "Russia", "{}:{}".format(*at("Russia")), "against"),
    ]
    assert "doccano: left out: 1 text without a stance" in told
    assert "doccano: labels that are not stances: 'X' 1; see --labels" in told


def test_doccano_relations_lead_from_the_holder(tmp_path):
    names = ("Poland", "NATO")
    entities = [
        dict(zip(("start_offset", "end_offset"), units(at(name)), strict=True), id=n, label="Actor")
        for n, name in enumerate(names)
    ]
    relations = [{"id": 0, "from_id": 0, "to_id": 1, "type": "favor"}]
    item = {"id": 1, "text": TEXT, "entities": entities, "relations": relations}
    _, rows = one(tmp_path, "doccano", lines(item), only=("actor", "stance", "holder"))
    assert rows == [("NATO", "favor", "Poland")]


def test_doccano_members_are_coders(tmp_path):
    item = {"text": TEXT, "actor": "NATO"}
    files = {
        f"x/{name}.jsonl": lines(item | {"label": [label]})
        for name, label in (("anna", "favor"), ("ben", "neutral"))
    }
    write(tmp_path, files)
    told, rows = imported("doccano", tmp_path / "x", only=("stance", "coder"))
    assert rows == [("favor", "anna"), ("neutral", "ben")]
    assert "doccano: 2 coders in long form: anna, ben" in told


@pytest.mark.parametrize(
    ("item", "match"),
    [
        ({"label": ["favor"]}, "source.jsonl:1: has no text at key 'text'; name its key: --map t"),
        (
            {"text": TEXT, "label": ["favor"]},
            "1: has no actor at key 'actor' for the stance; name its k",
        ),
        ({"text": "A", "label": ["favor"], "actor": "A", "spans": "x"}, "1: spans 'x' is not a pl"),
        (
            {"text": "A", "label": ["favor", "against"]},
            "1: has two stances, favor and against; keep one$",
        ),
        ({"text": "AB", "label": [[0, 9, "favor"]]}, r"label\[0\] is at 0:9 outside its 2 char"),
        ({"text": TEXT, "label": [[1, 9, "favor"]]}, r"label\[0\] is at 1:9, which cuts a char"),
        (
            {"text": "A", "label": ["favor"], "actor": "A", "\ud800": "x"},
            r"1: \\ud800 holds half a character",
        ),
        ({"text": "AB", "label": [[0, 9]]}, r"1: label\[0\] is not start, end and label"),
        ({"text": "AB", "label": [["0", 9, "favor"]]}, r"label\[0\]\[0\] is a text, not a whole"),
        (
            {"text": "A", "label": ["love"], "actor": "A"},
            "no rows .*its labels are 'love' 1, see --",
        ),
        (
            {"text": "A", "entities": [], "relations": [{"type": "favor", "from_id": 1}]},
            r"relations\[0\].from_id is not the id of a marked place",
        ),
    ],
)
def test_what_doccano_did_not_write_is_refused(tmp_path, item, match):
    with pytest.raises(DataError, match=match):
        one(tmp_path, "doccano", lines(item))


def region(name, place, *labels, said=None, key="r"):
    value = {"start": place[0], "end": place[1], "text": said or name, "labels": list(labels)}
    return {"id": key, "from_name": "label", "to_name": "text", "type": "labels", "value": value}


def choice(name, *values, kind="choices"):
    value = {"text" if kind == "textarea" else kind: list(values)}
    return {"id": name, "from_name": name, "to_name": "text", "type": kind, "value": value}


def task(*annotations, **data):
    given = [{"completed_by": n, "result": result} for n, result in enumerate(annotations, 1)]
    return {"id": 1, "data": {"text": TEXT} | data, "annotations": given}


@pytest.mark.parametrize("count", [lambda place: place, units])
def test_labelstudio_regions_in_code_points_or_units(tmp_path, count):
    results = [region(n, count(at(n)), label, key=n) for n, label in
               (("NATO", "favor"), ("Russia", "against"))]  # fmt: skip
    _, rows = one(tmp_path, "labelstudio", json.dumps([task(results)]), "x.json")
    assert [(row["actor"], row["spans"], row["stance"], row["coder"]) for row in rows] == [
        ("NATO", "{}:{}".format(*at("NATO")), "favor", "1"),
        ("Russia", "{}:{}".format(*at("Russia")), "against", "1"),
    ]


def test_labelstudio_annotations_are_codings(tmp_path):
    first = [choice("stance", "favor"), choice("sentiment", "positive")]
    second = [choice("stance", "neutral"), choice("note", "unclear", kind="textarea")]
    data = task(first, second, actor="NATO", id="p1", stance_favor="0.9")
    data["annotations"][0]["completed_by"] = {"id": 4, "email": "anna@example.org"}
    data["annotations"].append({"result": [], "was_cancelled": True})
    text = "[\n" + json.dumps(data) + ",\n" + json.dumps(task()) + "\n]"
    told, rows = one(tmp_path, "labelstudio", text, "x.json")
    only = ("id", "actor", "stance", "sentiment", "note", "coder")
    assert [tuple(row[name] for name in only) for row in rows] == [
        ("p1", "NATO", "favor", "positive", "", "anna@example.org"),
        ("p1", "NATO", "neutral", "", "unclear", "2"),
    ]
    assert "stance_favor" not in rows[0]
    assert any("1 annotation that was cancelled, 1 task without an annotation" in t for t in told)


def test_labelstudio_regions_with_choices_of_their_own(tmp_path):
    own = region("NATO", at("NATO"), "Actor", key="r1")
    said = {**choice("opinion", "favor"), "id": "r1"}
    said["value"] |= {"start": at("NATO")[0], "end": at("NATO")[1]}
    _, rows = one(tmp_path, "labelstudio", json.dumps([task([own, said])]), "x.json")
    assert [(row["actor"], row["stance"]) for row in rows] == [("NATO", "favor")]


def test_labelstudio_relations_lead_from_the_holder(tmp_path):
    results = [region(name, at(name), "Actor", key=name) for name in ("Poland", "NATO")]
    note = {**choice("note", "why", kind="textarea"), "id": "NATO"}
    note["value"] |= results[1]["value"] | {"text": ["why"]}
    relation = {"type": "relation", "from_id": "Poland", "to_id": "NATO", "labels": ["favor"]}
    data = json.dumps([task([note, *results, relation])])
    _, rows = one(tmp_path, "labelstudio", data, "x.json")
    assert [(row["actor"], row["stance"], row["holder"]) for row in rows] == [
        ("NATO", "favor", "Poland")
    ]


def test_names_of_a_tool_are_mapped(tmp_path):
    result = [choice("Haltung", "dafür")]
    data = {"id": 1, "data": {"body": "NATO met.", "who": "NATO"}}
    data["annotations"] = [{"result": result}]
    given = {"names": {"text": "body", "actor": "who"}, "labels": {"dafür": "favor"}}
    _, rows = one(tmp_path, "labelstudio", json.dumps([data]), "x.json", **given)
    assert [(row["text"], row["actor"], row["stance"]) for row in rows] == [
        ("NATO met.", "NATO", "favor")
    ]


@pytest.mark.parametrize(
    ("data", "match"),
    [
        ("[", "x.json: not JSON at column 2; export it again as JSON"),
        ('[{"data": {"text": "A"}}', r"x.json:1: the list is not closed here"),
        ('[{"data": {"text": "A"}}]\n3', r"x.json:1: goes on after the list"),
        ("[\n3]", "x.json:2: is a number, not an object"),
        ("[" * 1_000_000, "x.json: too long or too deep for JSON"),
        ('[\n{"data": {"text": "A"}},\n{]', "x.json: not JSON at line 3, column 2"),
        ('[\n{"data": {"text": [3]}}]', "x.json:2: data has no text at key 'text'; name its key"),
        (
            [task([region("NATO", at("Russia"), "favor")])],
            "value is at .*, where the text is not '",
        ),
        (
            [task([region("NATO", (0, 999), "favor")])],
            "value is at 0:999 outside its .* characters",
        ),
        ([task([choice("stance", "favor")])], r"annotations\[0\] has no actor at key 'actor' for"),
        ([task([choice("sentiment", "odd")], actor="A")], r"result\[0\] has a sentiment that is n"),
        (
            [task([{"type": "choices", "value": {"choices": 3}, "from_name": 3}])],
            "from_name is a n",
        ),
    ],
)
def test_what_labelstudio_did_not_write_is_refused(tmp_path, data, match):
    with pytest.raises(DataError, match=match) as caught:
        one(tmp_path, "labelstudio", data if isinstance(data, str) else json.dumps(data), "x.json")
    assert "\n" not in str(caught.value)


def test_prodigy_spans_choices_and_decisions(tmp_path):
    start, end = at("NATO")
    options = [{"id": 1, "text": "against"}, {"id": "favor", "text": "Speaks for it"}]
    meta = {"actor": "Russia", "source": "Gazette"}
    items = [
        {
            "text": TEXT,
            "spans": [{"start": start, "end": end, "label": "favor"}],
            "answer": "accept",
        },
        {"text": TEXT, "options": options, "accept": [1], "answer": "accept", "meta": meta},
        {"text": TEXT, "options": options, "accept": ["favor"], "answer": "accept", "meta": meta},
        {"text": TEXT, "label": "POSITIVE", "answer": "accept", "actor": "Poland"},
        {"text": TEXT, "label": "POSITIVE", "answer": "reject", "actor": "Poland"},
    ]
    items = [item | {"_annotator_id": "set-anna", "_input_hash": 1} for item in items]
    told, rows = one(tmp_path, "prodigy", lines(*items))
    only = ("actor", "spans", "stance", "coder", "source")
    assert [tuple(row[name] for name in only) for row in rows] == [
        ("NATO", f"{start}:{end}", "favor", "set-anna", ""),
        ("Russia", "", "against", "set-anna", "Gazette"),
        ("Russia", "", "favor", "set-anna", "Gazette"),
        ("Poland", "", "favor", "set-anna", ""),
    ]
    assert "prodigy: left out: 1 text with the answer reject" in told
    assert "_input_hash" not in rows[0]


def ann(place, name="NATO", kind="Actor"):
    return f"T1\t{kind} {place[0]} {place[1]}\t{name}"


@pytest.mark.parametrize(
    "lines_",
    [
        [ann(at("NATO"), kind="favor")],
        [ann(at("NATO")), "A1\tStance T1 favor"],
        [ann(at("NATO")), "A1\tfavor T1"],
        [ann(units(at("NATO"))), "#1\tAnnotatorNotes T1\tsure", "A1\tStance T1 favor", ""],
        [ann(at("NATO")), f"T2\tActor {at('Poland')[0]} {at('Poland')[1]}\tPoland",
         "R1\tfavor Arg1:T2 Arg2:T1\t"],
    ],
)  # fmt: skip
def test_brat_stances_are_types_attributes_or_relations(tmp_path, lines_):
    text = f"Title\r\n\r\n{TEXT}\r\n"
    moved = [line.split("\t") for line in lines_]
    for cells in moved:
        if cells[0].startswith("T"):
            kind, start, end = cells[1].split(" ")
            cells[1] = f"{kind} {int(start) + 9} {int(end) + 9}"
    write(tmp_path, {"b/one.ann": "\r\n".join(map("\t".join, moved)), "b/one.txt": text})
    _, rows = imported("brat", tmp_path / "b")
    spans = "{}:{}".format(*at("NATO"))
    found = [(r["document"], r["actor"], r["spans"], r["stance"], r["text"]) for r in rows]
    assert found == [("one", "NATO", spans, "favor", TEXT)]
    assert rows[0].get("holder", "") == ("Poland" if len(lines_) == 3 and "R1" in lines_[2] else "")


def test_brat_actors_in_parts_keep_their_words(tmp_path):
    line = "T1\tfavor 0 5;17 24\tNorth America"
    write(tmp_path, {"b/one.ann": line, "b/one.txt": "North and South America met."})
    _, rows = imported("brat", tmp_path / "b", only=("actor", "spans"))
    assert rows == [("North America", "0:24")]


def test_brat_folders_are_coders(tmp_path):
    files = {}
    for coder, label in (("anna", "favor"), ("ben", "against")):
        files |= {f"b/{coder}/d/one.txt": TEXT, f"b/{coder}/d/two.txt": "NATO met."}
        files |= {f"b/{coder}/d/one.ann": ann(at("NATO"), kind=label)}
        files |= {f"b/{coder}/d/two.ann": ann((0, 4), kind="neutral")}
    idle = {"b/carl/d/one.txt": TEXT, "b/carl/d/one.ann": "", "b/ben/d/._one.ann": b"\xff"}
    write(tmp_path, files | idle)
    told, rows = imported("brat", tmp_path / "b", only=("document", "coder", "stance"))
    assert rows == [
        ("d/one", "anna", "favor"),
        ("d/two", "anna", "neutral"),
        ("d/one", "ben", "against"),
        ("d/two", "ben", "neutral"),
    ]
    assert "brat: coders by the names of files or folders: anna, ben" in told


def test_files_whose_names_tell_no_coder_are_documents(tmp_path):
    files = {f"b/{name}.txt": "NATO met." for name in ("one/anna", "final/all")}
    files |= {name.replace("txt", "ann"): "T1\tfavor 0 4\tNATO" for name in files}
    write(tmp_path, files)
    told, rows = imported("brat", tmp_path / "b", only=("document",))
    assert rows == [("final/all",), ("one/anna",)]
    assert "brat: the same text stands in files whose names differ in more than one" in told[0]


def test_coders_who_mark_other_mentions_judge_the_same_pair(tmp_path):
    text = "NATO met. NATO won."
    marks = {"anna": [(0, 4)], "ben": [(0, 4), (10, 14)], "carl": [(10, 14)]}
    files = {}
    for coder, places in marks.items():
        lines_ = [f"T{n}\tfavor {a} {b}\tNATO" for n, (a, b) in enumerate(places)]
        files |= {f"b/{coder}/one.txt": text, f"b/{coder}/one.ann": "\n".join(lines_)}
    write(tmp_path, files)
    _, rows = imported("brat", tmp_path / "b", only=("coder", "spans"))
    assert rows == [(coder, "0:4;10:14") for coder in marks]
    codings = read_corpus([tmp_path / "out.csv"]).annotations
    assert codings.coders == ("anna", "ben", "carl")
    assert codings.codes.tolist() == [[2], [2], [2]]


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("T1 Actor 0 4 NATO", "one.ann:1: 'T1 Actor 0 4 NATO' is not a line of an .ann file"),
        ("T1\tfavor 0 4\tNATO", "one.ann:1: T1 is at 0 4, where the text is not 'NATO'"),
        ("T1\tfavor 0 4000\tNATO", "T1 is at 0 4000, outside the .* characters of the text; keep"),
        ("T1\tfavor 4 0\tNATO", "T1 is at 4 0, outside"),
        ("T\x16\tfavor 4 0\tNATO", r"T\\x16 is at 4 0, outside"),
        ("A1\tStance T7 favor", "one.ann:1: no line T7 in this file"),
        ("R1\tfavor Arg1:T1 Arg2:T2", "one.ann:1: no line T1 in this file"),
        (
            ann(at("NATO"), kind="favor") + "\nA1\tS T1 against",
            "one.ann:1: two stances of one place",
        ),
        (
            "#1\tAnnotatorNotes T1\tno",
            "b: no rows of brat in it; name a folder of .ann and .txt files",
        ),
    ],
)
def test_what_brat_did_not_write_is_refused(tmp_path, line, match):
    write(tmp_path, {"b/one.ann": line, "b/one.txt": TEXT})
    with pytest.raises(DataError, match=match):
        imported("brat", tmp_path / "b")


def tsv(labels, text=TEXT, header="#T_SP=webanno.custom.Stance|actor|holder|value"):
    """Return a document of two sentences; tokens are words, labels are cells by word."""
    out, begin = ["#FORMAT=WebAnno TSV 3.3", header, "", ""], 0
    width = header.count("|")
    for number, sentence_ in enumerate((text, "It rains_ ."), 1):
        out += ["", "#Text=" + sentence_.replace("_", r"\_")]
        place = 0
        for token, word in enumerate(sentence_.split(" "), 1):
            low, high = units((place, place + len(word)), sentence_)
            cells = labels.get(word.strip("."), ["_"] * width)
            ends = f"{begin + low}-{begin + high}"
            out.append("\t".join([f"{number}-{token}", ends, word.replace("_", r"\_"), *cells, ""]))
            place += len(word) + 1
        begin += len(sentence_.encode("utf-16-le")) // 2 + 1
    return "\n".join(out)


def test_inception_counts_in_utf16_units(tmp_path):
    labels = {"NATO": ["Alliance", "Poland", "favor"], "Russia": ["*", "*", "against"]}
    labels["rains_"] = [r"the \_rain", "*", "neutral"]
    write(tmp_path, {"one.tsv": tsv(labels)})
    _, rows = imported("inception", tmp_path / "one.tsv")
    found = [(r["document"], r["actor"], r["spans"], r["stance"], r["holder"]) for r in rows]
    start, end = at("Russia.")
    assert found == [
        ("one", "Alliance", "{}:{}".format(*at("NATO")), "favor", "Poland"),
        ("one", "Russia.", f"{start}:{end}", "against", ""),
        ("one", "the _rain", "3:9", "neutral", ""),
    ]
    assert rows[2]["text"] == "It rains_ ."


def test_inception_annotations_span_tokens_and_stack(tmp_path):
    header = "#T_SP=x.Pos|p\n#T_SP=x.Stance|value\n#T_RL=x.Dep|kind|BT_x.Pos"
    text = "The United States met."
    labels = {
        "United": ["NN", "favor[1]|against[2]", "a", "1-1"],
        "States": ["NN", "favor[1]", "_", "_"],
    }
    data = tsv({word: labels.get(word, ["NN", "_", "_", "_"]) for word in text.strip(".").split()},
               text, header).replace("\tIt\t", "\tIt\t_\t_\t_\t_")  # fmt: skip
    write(tmp_path, {"one.tsv": data})
    _, rows = imported("inception", tmp_path / "one.tsv", only=("actor", "spans", "stance"))
    assert rows == [("United States", "4:17", "favor"), ("United", "4:10", "against")]


def test_inception_users_are_coders(tmp_path):
    files = {
        f"annotation/one.txt/{name}.tsv": tsv({"NATO": ["*", "*", label]})
        for name, label in (("anna", "favor"), ("ben", "neutral"))
    }
    write(tmp_path, files)
    _, rows = imported("inception", tmp_path / "annotation", only=("document", "coder", "stance"))
    assert rows == [("one.txt", "anna", "favor"), ("one.txt", "ben", "neutral")]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (
            ("#FORMAT=WebAnno TSV 3.3", "NATO met."),
            "one.tsv:1: does not begin with #FORMAT=WebAnno",
        ),
        (("#Text=It", "It"), "one.tsv:1[0-9]: not the number, the ends and the text of a token"),
        (("#Text=\U0001f600", "#Txt="), "one.tsv:7: a token before #Text="),
        (("\tNATO", "\tNATA"), "one.tsv:.*'NATA' is not at .* of the sentence; export it again"),
        (("1-1\t0-2", "1-1\t0-999"), "is not at 0-999 of the sentence"),
        (("1-1\t0-2", "1-1\t5-2"), "one.tsv:7: not the number, the ends and the text"),
    ],
)
def test_what_inception_did_not_write_is_refused(tmp_path, change, match):
    data = tsv({"NATO": ["*", "*", "favor"]})
    assert change[0] in data
    write(tmp_path, {"one.tsv": data.replace(*change, 1)})
    with pytest.raises(DataError, match=match):
        imported("inception", tmp_path / "one.tsv")


@pytest.mark.parametrize("form", ["labelstudio", "doccano"])
def test_exported_labels_come_back(tmp_path, form):
    task_ = read_task(sample(tmp_path / "to_label.csv", 4, change=TEXT))
    table, tool = tmp_path / "labels.csv", tmp_path / "labels.json"
    with Store(tmp_path / "to_label.sqlite") as store:
        for coder, stance in (("anna", "favor"), ("ben", "against")):
            for pair in task_.pairs[:3]:
                said = Label(stance, "other", "negative", note="caf\u0065\u0301 \U0001f600")
                store.save(coder, pair, said, 1.0)
            store.save(coder, task_.pairs[3], Label("neutral", false_match=True), 1.0)
        for path, form_ in ((table, "table"), (tool, form)):
            export_labels(task_, store.labels(), path, form=form_)
    _, rows = imported(form, tool)
    expected = rows_of(table)
    kept = list(expected[0])
    assert len(rows) == len(expected) == 8
    assert [[row[name] or "0" for name in kept if name != "false_match"] for row in rows] == [
        [row[name] or "0" for name in kept if name != "false_match"] for row in expected
    ]
    assert [row["false_match"] or "0" for row in rows] == [r["false_match"] for r in expected]


# --- All of them ---


@pytest.mark.parametrize("form", FORMATS)
def test_sources_that_cannot_be_read(tmp_path, form):
    write(tmp_path, {"empty.jsonl": b"", "latin.jsonl": b"\n" * 2000 + b'{"a": "\xe9"}'})
    (tmp_path / "folder").mkdir()
    for name in ("none.jsonl", "folder", "empty.jsonl", "latin.jsonl"):
        with pytest.raises(DataError, match=rf"{name}:") as caught:
            import_corpus(form, tmp_path / name, tmp_path / "out.csv")
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "out.csv").exists()


def test_an_archive_is_to_be_unpacked(tmp_path):
    write(tmp_path, {"all.zip": b"PK\3\4 and so on"})
    with pytest.raises(DataError, match=r"all.zip: is a zip archive; unpack it, and name"):
        import_corpus("doccano", tmp_path / "all.zip", tmp_path / "out.csv")


def test_the_place_of_a_byte_is_told(tmp_path):
    write(tmp_path, {"a.jsonl": b"\n" * 20_000 + b'{"a": "\xe9"}'})
    with pytest.raises(DataError, match=r"a\.jsonl:20001: not UTF-8 at byte 8 of the line; down"):
        import_corpus("newsmtsc", tmp_path / "a.jsonl", tmp_path / "out.csv")


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_in_the_help_and_in_the_manual(form):
    manual = (Path(__file__).parents[1] / "docs" / "import.md").read_text("utf-8")
    assert f"| `{form}` |" in manual or f"stance import {form} " in manual
    assert form in IMPORTED


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"unknown format 'xml'; choose among newsmtsc, madtsc"):
        import_corpus("xml", tmp_path / "a", tmp_path / "b")


def test_an_existing_output_is_kept(tmp_path):
    write(tmp_path, {"a.jsonl": lines(sentence()), "out.csv": "mine"})
    with pytest.raises(OutputError, match="exists already; use --force to overwrite it"):
        import_corpus("newsmtsc", tmp_path / "a.jsonl", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text("utf-8") == "mine"


KEYS = (
    *("text", "label", "data", "annotations", "result", "type", "value", "start", "end", "labels"),
    *("choices", "from_name", "id", "spans", "answer", "accept", "options", "meta", "actor"),
    *("entities", "relations", "start_offset", "end_offset", "from_id", "to_id", "completed_by"),
    *("sent_id", "opinions", "Source", "Target", "Polarity", "primary_gid", "targets", "from"),
    *("sentence-level stances", "phrase-level-annotations", "body-paragraphs", "subject", "object"),
    *("sentiment", "annotators", "speaker", "quote", "target", "title", "0"),
    *("sentence_normalized", "to", "polarity", "mention", "Input.gid", "further_mentions"),
)
WORDS = st.sampled_from(["favor", "against", "NATO", "0:4", "POS", "NULL", "choices", "accept", ""])
ATOMS = st.none() | st.booleans() | st.integers(-2, 9) | st.floats() | WORDS | st.text(max_size=9)
ANY = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS), inner, max_size=8)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=30,
)


VALID = {
    "doccano": {"text": TEXT, "actor": "NATO", "label": [[*units(at("NATO")), "favor"]], "id": 1},
    "labelstudio": task([region("NATO", at("NATO"), "favor"), choice("note", "x")], actor="NATO"),
    "prodigy": {
        **{
            "text": TEXT,
            "options": [{"id": 1, "text": "favor"}],
            "accept": [1],
            "answer": "accept",
        },
        **{"meta": {"actor": "NATO"}, "spans": [{"start": 0, "end": 2, "label": "X"}]},
    },
    "newsmtsc": sentence(),
    "madtsc": sentence(targets=[target("NATO", 0, 4, 6, further_mentions=[{"from": 5, "to": 8}])]),
    "ruopinionne": {"sent_id": 1, "text": TEXT, "opinions": [opinion("A", "0:1", ["B"], ["2:6"])]},
    "seesaw": {
        "sentence-level stances": {"0": [triplet("A", "POS", "B", "C")]},
        "text": [{"id": 0, "text": TEXT}],
    },
    "basil": {
        "phrase-level-annotations": [biased("p0", "x", "A", "neg", "yes", "B")],
        **{"title": "t", "date": "2024-01-01", "source": "nyt", "body-paragraphs": [[TEXT]]},
    },
}
"""A good item of each format in JSON; those with two files have both in one."""


def places_in(value, path=()):
    """Return where each value of some JSON stands."""
    inner = value.items() if isinstance(value, dict) else ()
    inner = enumerate(value) if isinstance(value, list) else inner
    return [path] + [found for key, each in inner for found in places_in(each, (*path, key))]


def replaced(value, path, other):
    if not path:
        return other
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], other)
    return copy


@st.composite
def spoilt(draw):
    """A format, and a good item of it in which one value is another."""
    form = draw(st.sampled_from(sorted(VALID)))
    item = VALID[form]
    return form, replaced(item, draw(st.sampled_from(places_in(item))), draw(ANY))


@pytest.mark.parametrize("form", VALID)
def test_the_items_to_spoil_are_good(tmp_path, form):
    assert import_json(tmp_path, form, VALID[form])


def import_json(folder, form, item):
    data = json.dumps([item] if form == "labelstudio" else item)
    two = ("annotations/any.json", "articles/any.json")
    files = dict.fromkeys(two if form in ("seesaw", "basil") else ("any.json",), data)
    root = write(folder / "x", files)
    _, rows = imported(form, root / "any.json" if len(files) == 1 else root)
    return rows


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.tuples(st.sampled_from(sorted(VALID)), ANY) | spoilt())
def test_any_json_gives_rows_or_one_line(tmp_path_factory, given_):
    said = "any.json"
    try:
        import_json(tmp_path_factory.mktemp("any"), *given_)
    except StanceError as error:
        said = str(error)
    assert any(name in said for name in ("any.json", "/x: no rows of", "out.csv:"))
    assert "\n" not in said


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    form=st.sampled_from(["brat", "inception", "semeval2025"]),
    change=st.tuples(st.integers(0, 400), st.integers(0, 9), st.text(max_size=5)),
)
def test_any_change_of_a_file_gives_rows_or_one_line(tmp_path_factory, form, change):
    folder = tmp_path_factory.mktemp("any")
    files = {
        "brat": {"one.ann": ann(at("NATO"), kind="favor") + "\nA1\tS T1 favor", "one.txt": TEXT},
        "inception": {"one.tsv": tsv({"NATO": ["*", "*", "favor[1]|x[2]"]})},
        "semeval2025": framing(role("NATO", "Protagonist")),
    }[form]
    name = next(name for name in reversed(files) if not name.endswith("one.txt"))
    data, (place, length, added) = files[name], change
    place %= len(data)
    files[name] = (data[:place] + added + data[place + length :]).encode("utf-8", "replace")
    with suppress(DataError):
        imported(form, write(folder, files))


@pytest.mark.parametrize(
    ("form", "name", "rows"),
    [("newsmtsc", "newsmtsc_train.jsonl", 8739), ("rusentne", "rusentne_train.csv", 6637)],
)
def test_the_real_files_are_read(tmp_path, form, name, rows):
    source = CORPORA / name
    if not source.is_file():
        pytest.skip(f"{source} is not here")
    import_corpus(form, source, tmp_path / "out.csv")
    corpus = read_corpus([tmp_path / "out.csv"])
    assert len(corpus) == rows
    assert all(spans is not None and len(spans) == 1 for spans in corpus.spans)
    assert set(corpus.stance.tolist()) == {0, 1, 2}
    assert len(set(corpus.document.tolist())) < rows
    for text, actor, places in zip(corpus.texts, corpus.actors, corpus.spans, strict=True):
        ((start, end),) = places
        assert text[start:end] == actor
