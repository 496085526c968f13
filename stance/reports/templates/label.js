"use strict";
// One pair at a time: show it, ask, send the label, show the next. What lasts is on the server.

const find = id => document.getElementById(id);
const key = location.pathname.slice(1);
const asked = document.body.dataset.asked.split(" ");
const adjudicates = "adjudicates" in document.body.dataset;
const narrow = matchMedia("(max-width: 60rem)");
const SETTLE = 250; // milliseconds in which a key that was pressed twice labels nothing

let item = null; // the pair that is shown
let draft = {}; // its label so far
let step = "stance";
let busy = false;
let shownAt = 0;

function make(tag, options = {}, ...children) {
  const made = Object.assign(document.createElement(tag), options.props || {});
  for (const [name, value] of Object.entries(options.attributes || {})) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

async function ask(verb, body) {
  if (busy) return null;
  busy = true;
  try {
    const answer = await fetch("/ask/" + verb, {
      method: "POST",
      headers: { "content-type": "application/json", "x-stance-key": key },
      body: JSON.stringify(body),
    });
    const reply = await answer.json();
    if (!answer.ok) throw new Error(reply.error);
    find("alert").textContent = "";
    return reply;
  } catch (error) {
    const gone = error instanceof TypeError || error instanceof SyntaxError;
    find("alert").textContent = gone
      ? "The server does not answer. Run stance label again and open the address that it prints; your labels are kept."
      : error.message;
    return null;
  } finally {
    busy = false;
  }
}

// --- What is asked ---

const STANCES = [["1", "against"], ["2", "neutral"], ["3", "favor"]];
const TONES = [["1", "negative"], ["2", "neutral"], ["3", "positive"]];

function choices() {
  if (step === "done") return [];
  if (step === "holder") {
    const saved = draft.holder || (item.label || {}).holder;
    const named = item.named.slice(0, 9).map((name, place) => [String(place + 1), name, name]);
    const all = [["a", "The author", "author"], ...named, ["o", "Someone else", "other"]];
    return [
      ...all.map(([key, name, value]) => ({ key, name, pressed: saved === value, act: () => answer({ holder: value }) })),
      { key: "t", name: "Another actor", kind: "second", act: typeHolder },
    ];
  }
  if (step === "sentiment") {
    const before = (item.label || {}).sentiment || item.tone;
    const tones = TONES.map(([key, name]) => ({ key, name, kind: name, pressed: before === name, act: () => answer({ sentiment: name }) }));
    return before ? [...tones, { key: "Enter", name: `Keep ${before}`, kind: "wide", act: () => answer({ sentiment: before }) }] : tones;
  }
  const saved = item.label && !item.label.unsure ? item.label : null;
  return [
    ...STANCES.map(([key, name]) => ({
      key, name, kind: name, pressed: saved && saved.stance === name && !saved.false_match,
      act: () => answer({ stance: name, false_match: false }),
    })),
    { key: "0", name: "False match", kind: "second", pressed: saved && saved.false_match, act: () => answer({ stance: "neutral", false_match: true }) },
    ...(saved ? [{ key: "Enter", name: "Keep it", kind: "wide", act: keep }] : []),
  ];
}

const QUESTIONS = {
  stance: () => "Stance toward " + item.actor,
  holder: () => "Whose stance is it?",
  sentiment: () => "Tone of the whole paragraph",
  done: () => "",
};

function askStep() {
  find("asking").textContent = QUESTIONS[step]();
  find("asking").className = step === "stance" ? "unseen" : ""; // the heading has asked it
  find("back").disabled = step === "stance" && !item.progress.done;
  find("choices").replaceChildren(...choices().map(choice => {
    const name = choice.name[0].toUpperCase() + choice.name.slice(1);
    const attributes = { "aria-keyshortcuts": choice.key };
    if (choice.pressed !== undefined) attributes["aria-pressed"] = String(Boolean(choice.pressed));
    const props = { type: "button", className: choice.kind || "", onclick: choice.act };
    const cap = make("kbd", {}, choice.key === "Enter" ? "↵" : choice.key);
    return make("button", { props, attributes }, make("span", {}, name), cap);
  }));
}

function typeHolder() {
  const open = document.querySelector(".typed input");
  if (open) return open.focus();
  const field = make("input", {
    props: { type: "text", onkeydown: event => {
      if (event.key === "Enter" && field.value.trim()) answer({ holder: field.value.trim() });
    } },
    attributes: { list: "holders", "aria-label": "Name of the actor whose stance it is", placeholder: "Name of an actor" },
  });
  const done = make("button", { props: { type: "button", onclick: () => field.value.trim() && answer({ holder: field.value.trim() }) } }, "OK");
  find("choices").append(make("div", { props: { className: "typed" } }, field, done));
  field.focus();
}

function answer(part) {
  if (busy || !item || performance.now() - shownAt < SETTLE) return;
  draft = { ...draft, ...part };
  const taken = draft.stance === "against" || draft.stance === "favor";
  if (!taken) delete draft.holder;
  const open = asked.includes("holder") && taken && !("holder" in part) && step === "stance" ? "holder"
    : asked.includes("sentiment") && !("sentiment" in part) ? "sentiment" : null;
  if (open) {
    step = open;
    askStep();
    announce(QUESTIONS[step](), true);
  } else send(draft);
}

function keep() {
  const { note, ...saved } = item.label;
  send(saved);
}

function unsure() {
  if (step !== "done" && performance.now() - shownAt >= SETTLE) send({ unsure: true });
}

async function send(label) {
  if (!item || !item.pair) return;
  const words = label.unsure ? "unsure" : label.false_match ? "false match" : label.stance;
  const body = { pair: item.pair, label: { ...label, note: find("note").value } };
  const reply = await ask("label", body);
  if (!reply) { // asked again from the start
    draft = {};
    step = "stance";
    return askStep();
  }
  show(reply);
  announce(`Saved: ${words}. ${item.progress.done} of ${item.progress.total}.`);
}

// --- What is shown ---

function announce(words, unseen = false) {
  find("status").textContent = words;
  find("status").className = unseen ? "unseen" : "";
}

function showProgress({ done, total, unsure }) {
  find("bar").max = Math.max(1, total);
  find("bar").value = done;
  const parts = [`${done.toLocaleString("en")} of ${total.toLocaleString("en")}`];
  if (unsure) parts.push(`${unsure} unsure`);
  find("count").textContent = parts.join(" · ");
}

function show(reply) {
  item = reply;
  draft = {};
  step = item.pair ? "stance" : "done";
  showProgress(item.progress);
  for (const id of ["noting", "hint", "opinions"]) find(id).hidden = true;
  for (const id of ["text", "tools"]) find(id).hidden = !item.pair;
  find("note").value = item.label ? item.label.note : "";
  item.pair ? showPair() : showEnd();
  askStep();
  shownAt = performance.now();
  scrollTo(0, 0);
  find("question").focus();
}

function showPair() {
  find("question").replaceChildren("Which stance does the paragraph take toward ", make("b", {}, make("bdi", {}, item.actor)), "?");
  find("text").replaceChildren(...item.parts.map(([text, marked]) => marked ? make("mark", {}, text) : text));
  if (!item.parts.some(([, marked]) => marked)) {
    find("hint").textContent = `No mention of ${item.actor} was found in this paragraph.`;
    find("hint").hidden = false;
  }
  find("noting").hidden = !find("note").value;
  find("opinions").hidden = !item.opinions.length;
  find("opinions").replaceChildren(...item.opinions.map(opinion => {
    const stance = opinion.unsure ? "unsure" : opinion.false_match ? "false match" : opinion.stance;
    const rest = [opinion.holder && `holder ${opinion.holder}`, opinion.sentiment && `tone ${opinion.sentiment}`];
    const answer = make("span", { props: { className: opinion.stance } }, stance);
    const note = opinion.note ? [make("em", {}, opinion.note)] : [];
    return make("p", {}, make("b", {}, opinion.coder), answer, rest.filter(Boolean).join(", "), ...note);
  }));
}

function showEnd() {
  const { total } = item.progress;
  const what = adjudicates ? (total ? "Every dispute is settled." : "No coders disagree.") : `All ${total.toLocaleString("en")} rows are labelled.`;
  find("question").textContent = what;
  const who = adjudicates ? " --coder adjudicated" : "";
  const command = document.body.dataset.command + who;
  find("hint").replaceChildren("Close this page, end the server with Ctrl-C, and write the table: ", make("code", {}, command));
  find("hint").hidden = false;
}

async function back() {
  if (step === "holder" || step === "sentiment") { // to the question before, on the same pair
    draft = {};
    step = "stance";
    askStep();
    return announce(QUESTIONS[step](), true);
  }
  const reply = await ask("back", { pair: item.pair || "" });
  if (reply && reply.pair) {
    show(reply);
    announce("Back to an earlier paragraph");
  }
}

function writeNote() {
  find("noting").hidden = false;
  find("note").focus();
}

function read(open) {
  if (narrow.matches) {
    document.body.classList.toggle("reading", open);
    find("work").inert = open;
  }
  open ? find("codebook").focus() : find("question").focus();
}

// --- Keys ---

const TOOLS = { u: unsure, z: back, n: writeNote, k: () => read(true) };

document.addEventListener("keydown", event => {
  if (event.key === "Escape") {
    event.preventDefault();
    return read(false);
  }
  const typing = event.target.matches("textarea, input[type=text]");
  if (typing || event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.repeat) return;
  if (!item || !find("keys").checked || busy) return;
  if (event.key === "Enter" && event.target.matches("button, input")) return;
  const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const choice = choices().find(one => one.key === name);
  const tool = item.pair || name === "k" || name === "z" ? TOOLS[name] : null;
  const button = { u: "unsure", z: "back" }[name];
  if (!choice && (!tool || (button && item.pair && find(button).disabled))) return;
  event.preventDefault();
  choice ? choice.act() : tool();
});

for (const [id, act] of [["unsure", unsure], ["back", back], ["write", writeNote]])
  find(id).onclick = act;
find("open").onclick = () => read(true);
find("close").onclick = () => read(false);

ask("next", {}).then(reply => reply && show(reply));
