"""Files in the shape of those of each format, with invented texts.

Where more of them are wanted, a number takes the place of each 000.
"""

import json
from typing import NamedTuple

BOX = "\U0001f4e6"  # an emoji: one character, two UTF-16 units


class Listed(NamedTuple):
    """A file of records: what stands before and after them, and between two copies."""

    body: bytes
    head: bytes = b""
    between: bytes = b""
    tail: bytes = b""


def write(folder, files, copies=1):
    """Write files and return the first, or the top folder that it lies in; in copies if wanted."""
    for name, data in files.items():
        for at in range(copies if "000" in name else 1):
            path = folder / name.replace("000", f"{at:03}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(
                grown(data, copies) if isinstance(data, Listed) else numbered(data, at)
            )
    return folder / next(iter(files)).split("/")[0]


def numbered(data, at):
    data = data if isinstance(data, bytes) else data.encode()
    return data.replace(b"000", b"%03d" % at)


def grown(data, copies=1):
    body = data.between.join(numbered(data.body, at) for at in range(copies))
    return data.head + body + data.tail


def lines(*items):
    """JSON Lines."""
    return Listed("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items).encode())


def array(*items):
    """One list in JSON."""
    return Listed(",\n".join(map(json.dumps, items)).encode(), b"[\n", b",\n", b"\n]\n")


def target(gid, start, end, mention, polarity, **more):
    own = {"Input.gid": gid, "from": start, "to": end, "mention": mention, "polarity": polarity}
    return own | more


def opinion(source, goal, sign):
    expression = {"Polar_expression": [["хвалит"], ["7:13"]]}
    return {"Source": source, "Target": goal, "Polarity": sign} | expression


def triplet(who, sign, whom, *coders):
    return {"subject": who, "sentiment": sign, "object": whom, "annotators": list(coders)}


def biased(place, goal, sign, quote="no", speaker=""):
    own = {"id": place, "txt": "was", "start": 7, "end": 10, "target": goal, "polarity": sign}
    return own | {"aim": "dir", "bias": "lex", "quote": quote, "speaker": speaker}


def region(key, kind, start, end, text, label):
    value = {"start": start, "end": end, "text": text, "labels": [label]}
    return {"id": key, "from_name": kind, "to_name": "text", "type": "labels", "value": value}


def choice(name, value, kind="choices"):
    own = {("text" if kind == "textarea" else kind): [value]}
    return {"id": name, "from_name": name, "to_name": "text", "type": kind, "value": own}


ITEMS = {
    "newsmtsc": [
        {
            "primary_gid": "allsides_000_401_25_NATO_0_4",
            "sentence_normalized": "NATO met Lee\u2019s aides at 000.",
            "targets": [
                target("g000-1", 0, 4, "NATO", 6.0),
                target("g000-2", 9, 12, "Lee", 2.0),
            ],
        },
        {"primary_gid": "nyt_1_2_3_x", "sentence_normalized": "It rained.", "targets": []},
    ],
    "madtsc": [
        {
            "sentence_normalized": "NATO met in 000; NATO won.",
            "targets": [
                target("m000", 0, 4, "NATO", 6, further_mentions=[{"from": 17, "to": 21}]),
                target("n000", 5, 8, "met", 2),
            ],
        }
    ],
    "ruopinionne": [
        {
            "sent_id": 1000,
            "text": "Россия хвалит НАТО и Киев 000.",
            "opinions": [
                opinion([["Россия"], ["0:6"]], [["НАТО"], ["14:18"]], "POS"),
                opinion([["NULL"], ["0:0"]], [["Киев"], ["21:25"]], "NEG"),
                opinion([["AUTHOR"], ["NULL"]], [["Россия"], ["0:6"]], "NEG"),
                opinion([["AUTHOR"], ["NULL"]], [["NULL"], ["0:0"]], "NEG"),
            ],
        },
        {"sent_id": 2, "text": "Дождь.", "opinions": []},
        {"sent_id": 3, "text": "Снег.", "opinions": []},
    ],
    "doccano": [
        {"id": 1, "text": f"{BOX} NATO 000.", "label": [[3, 7, "favor"], [8, 11, "CITY"]]},
        {"id": 2, "text": "It 000.", "label": ["NEG"], "actor": "NATO", "date": "2024"},
        {
            "id": 3,
            "text": "Poland praised NATO 000.",
            "entities": [
                {"id": 7, "start_offset": 0, "end_offset": 6, "label": "Actor"},
                {"id": 8, "start_offset": 15, "end_offset": 19, "label": "Actor"},
            ],
            "relations": [{"id": 1, "from_id": 7, "to_id": 8, "type": "favor"}],
        },
        {"id": 4, "text": "Rain.", "label": []},
    ],
    "labelstudio": [
        {
            "id": 17,
            "data": {"text": f"{BOX} NATO met in 000.", "date": "2024", "stance_favor": 0.9},
            "annotations": [
                {
                    "completed_by": {"id": 4, "email": "anna@example.org"},
                    "result": [
                        region("r1", "label", 3, 7, "NATO", "favor"),
                        choice("sentiment", "positive"),
                    ],
                },
                {"completed_by": 2, "result": [region("r1", "label", 2, 6, "NATO", "against")]},
                {"completed_by": 3, "result": [], "was_cancelled": True},
            ],
        },
        {
            "id": 18,
            "data": {"id": "p2", "text": "Poland praised NATO 000.", "actor": "Poland"},
            "annotations": [
                {
                    "result": [
                        choice("stance", "neutral"),
                        choice("note", "unclear", "textarea"),
                        region("a", "label", 0, 6, "Poland", "Actor"),
                        region("b", "label", 15, 19, "NATO", "Actor"),
                        {"type": "relation", "from_id": "a", "to_id": "b", "labels": ["favor"]},
                    ]
                }
            ],
        },
        {"id": 19, "data": {"text": "Rain."}, "annotations": []},
    ],
    "prodigy": [
        {
            "text": f"{BOX} NATO met in 000.",
            "spans": [{"start": 2, "end": 6, "label": "favor"}],
            "answer": "accept",
            "_annotator_id": "set-anna",
            "_input_hash": 5,
        },
        {
            "text": "It met in 000.",
            "options": [{"id": 1, "text": "against"}, {"id": 2, "text": "favor"}],
            "accept": [1],
            "meta": {"actor": "Russia", "source": "Gazette"},
            "answer": "accept",
            "_session_id": "set-ben",
        },
        {"text": "Rain.", "label": "POSITIVE", "answer": "reject", "actor": "Poland"},
    ],
}

SEESAW = {
    "SEESAW/annotations/TRIPLET_000_DOCUMENT_0.json": {
        "entity lists": [["Obama"]],
        "sentence-level stances": {
            "0": [
                triplet("Barack Obama", "NEG", "Congress", "A", "B"),
                triplet("Author", "POS", "Barack Obama", "A"),
                triplet("Author", "NEG", "Barack Obama", "B"),
                triplet("Author", "NEG", "Not in the list", "A"),
            ],
            "1": [triplet("None", "POS", "Congress", "A")],
        },
    },
    "SEESAW/articles/TRIPLET_000_DOCUMENT_0.json": {
        "title": "t",
        "text": [
            {"id": 0, "text": "Obama scolds Congress 000."},
            {"id": 1, "text": "Congress won 000."},
        ],
    },
    "SEESAW/meta/TRIPLET_000.json": {"triplet_id": "000", "Split": "train"},
}

BASIL = {
    "BASIL/annotations/resolved/2010/ab_000_ann.json": {
        "phrase-level-annotations": [
            biased("p0", "Michael_Steele", "neg"),
            biased("p0", "Michael_Steele", "neg"),
            biased("p2", "Barack_Obama", "neg", "yes", "Michael_Steele"),
            biased("title", "Michael_Steele", "pos", "yes", "other_anti"),
        ]
    },
    "BASIL/articles/2010/ab_000.json": {
        "title": "Steele wins 000",
        "date": "2010-07-02",
        "source": "nyt",
        "body-paragraphs": [["Steele was rude 000.", "Rain fell."], ["Obama erred 000, he said."]],
    },
}


ARTICLE = "Talks\n\nPoland praised NATO and blamed Russia in 000.\n\nRain fell on Ukraine.\n"
ROLES = (
    "EN_000.txt\tNATO\t22\t25\tProtagonist\tGuardian\n"
    "EN_000.txt\tRussia\t38\t43\tAntagonist\tSpy\tBigot\n"
    "EN_000.txt\tUkraine\t67\t73\tInnocent\tVictim\n"
    "EN_000.txt\tKyiv\t0\t3\tAntagonist\tSpy\n"
)
XSTANCE = [
    {
        **{"id": 5, "language": "de", "question_id": 3, "question": "Mehr Geld für Bahnen?"},
        **{"comment": "Ja, Züge 000!", "label": "FAVOR", "numerical_label": 75},
        **{"author": "8a000", "topic": "Economy", "test_set": "new_comments_defr"},
    },
]
XSTANCE += [XSTANCE[0] | {"id": 6, "label": "AGAINST", "comment": "Nein 000.", "author": "9a000"}]
ANN = (
    "T1\tActor 22 26\tNATO\r\nT2\tActor 38 44\tRussia\nT3\tActor 7 13\tPoland\n"
    "A1\tStance T2 against\n#1\tAnnotatorNotes T1\tsure\nR1\tfavor Arg1:T3 Arg2:T1\t\n"
    "T4\tPRO 45 47\tin\nT5\tNEG 27 30\tand\n"
)


def table(head, *rows, encoding="utf-8"):
    return Listed("".join(row + "\n" for row in rows).encode(encoding), f"{head}\n".encode())


FILES = {
    **{form: {"train.jsonl": lines(*ITEMS[form])} for form in ("newsmtsc", "madtsc")},
    "rusentne": {
        "train.csv": table(
            "sentence\tentity\tentity_tag\tentity_pos_start_rel\tentity_pos_end_rel\tlabel",
            "Россия и «НАТО» спорят 000.\tРоссия\tCOUNTRY\t0\t6\t-1",
            "Россия и «НАТО» спорят 000.\tНАТО\tORGANIZATION\t10\t14\t1",
            "Дождь в Москве 000.\tМоскве\tCITY\t8\t14\t0",
        )
    },
    "ruopinionne": {"train.jsonl": lines(*ITEMS["ruopinionne"])},
    "persent": {
        "train.csv": table(
            "DOCUMENT_INDEX,TITLE,TARGET_ENTITY,DOCUMENT,MASKED_DOCUMENT,TRUE_SENTIMENT,Paragraph0,"
            "Paragraph1,Paragraph2",
            '4000,Up,Ann\x92 Lee,"Ann Lee won 000.\nShe smiled 000, and aides cheered her.\nRain."'
            ',"  [TGT]  won 000.\n [TGT]  smiled 000, and aides cheered  [TGT] .\nRain."'
            ",Positive,Positive,Negative,",
        )
    },
    "semeval2016": {
        "train.txt": table(
            "ID\tTarget\tTweet\tStance\tOpinion towards\tSentiment",
            '1\tAtheism\tFaith “helps” 000, "they say.\tAGAINST\tTARGET\tPOSITIVE',
            '2\tHillary Clinton\tVote "Hillary" 000!\tFAVOR\tTARGET\tNEITHER',
            "3\tAtheism\tIt rains 000.\tNONE\tNO ONE\tNEGATIVE",
            encoding="cp1252",
        )
    },
    "pstance": {
        "raw_train_all.csv": table(
            "Tweet,Target,Stance",
            '"Go, #Biden2020 000!",Joe Biden,FAVOR',
            "No 000.,Joe Biden,AGAINST",
        )
    },
    "vast": {
        "vast_train.csv": table(
            "author,post,ori_topic,ori_id,new_topic,label,type_idx,new_id,arc_id",
            'ann,"No, never 000.",guns,1,gun control,0,1,7000,a000',
            "bob,Yes 000.,guns,2,gun control,1,1,8000,a000",
            "bob,Yes 000.,cars,3,electric cars,2,1,9000,a000",
        )
    },
    "xstance": {"test.jsonl": lines(*XSTANCE)},
    "sentfin": {
        "SEntFiN.csv": table(
            "S No.,Title,Decisions,Words",
            "1,Gold shines 000 as banks fall,\"{'Gold': 'positive', 'banks': 'negative'}\",5",
            '2,Lee\'s steel 000,"{""Lee\'s"": \'neutral\'}",2',
        )
    },
    "semeval2025": {
        "EN/subtask-1-annotations.txt": Listed(ROLES.encode()),
        "EN/subtask-2-annotations.txt": b"EN_000.txt\tOther\tOther\n",
        "EN/subtask-3-annotations.txt": b"EN_000.txt\tOther\tOther\tBecause.\n",
        "EN/raw-documents/EN_000.txt": ARTICLE,
    },
    **{
        form: {name: json.dumps(data, indent=2) for name, data in files.items()}
        for form, files in (("seesaw", SEESAW), ("basil", BASIL))
    },
    "doccano": {"all.jsonl": lines(*ITEMS["doccano"])},
    "labelstudio": {"export.json": array(*ITEMS["labelstudio"])},
    "prodigy": {"out.jsonl": lines(*ITEMS["prodigy"])},
    "brat": {
        **{f"b/{coder}/d/000.txt": ARTICLE for coder in ("anna", "ben")},
        "b/anna/d/000.ann": ANN,
        "b/ben/d/000.ann": "T1\tfavor 22 26\tNATO\n",
        "b/ben/d/._000.ann": b"\xff",
    },
    "table": {
        "mine.csv": table(
            "text,actor,stance,url", "NATO met 000.,NATO,pro,http://x", "It 000.,NATO,con,"
        )
    },
}
"""By format, the files of a source; the first one, or its top folder, is to be named."""
