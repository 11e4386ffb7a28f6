// The details of one object: the chain from its owners over its storage to its data, each link with its place.

const panel = document.getElementById("panel");

/** Puts a text into the clipboard; where the browser has no clipboard for pages, by a selection. */
async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = make("textarea", { class: "unseen", "aria-hidden": "true" });
    area.value = text;
    panel.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

/** `path:line` with a button that copies it. */
function placeOf(place) {
  const text = at(place);
  const button = make("button", { type: "button", class: "copy", "aria-label": `Copy ${text}`, title: "Copy" }, icon("i-copy"));
  button.addEventListener("click", async () => {
    const done = await toClipboard(text);
    say(done ? `Copied ${text}` : "The browser did not let it be copied");
    button.replaceChildren(icon(done ? "i-done" : "i-copy"));
    setTimeout(() => button.replaceChildren(icon("i-copy")), 1500);
    button.focus();
  });
  return make("span", { class: "place" }, make("code", {}, breakable(text)), button);
}

const section = (title, ...children) => make("section", {}, make("h3", {}, title), ...children);
const list = (items, kind = "items") => make("ul", { class: kind }, items);
const folded = (title, items) =>
  items.length === 0 ? null : make("details", {}, make("summary", {}, icon("i-fold"), title), list(items));

function datumItem(datum) {
  const path = datum.path ? make("code", {}, datum.path) : null;
  const seen = datum.evidence.map((it) => make("li", {}, it.message, placeOf(it.place)));
  return make("li", { class: `fated is-${datum.fate}` },
    make("p", { class: "title" }, make("strong", {}, datum.service), make("span", { class: "class" }, datum.class), path),
    make("p", {}, `on ${liesOn(datum)}, `, fateMark(datum.fate)),
    make("p", { class: "because" }, datum.because),
    seen.length > 0 ? list(seen, "evidence") : null);
}

function dataSection(object) {
  const none = object.data.length === 0 ? make("p", { class: "none" }, "No data is known here.") : null;
  const idle = `${count(object.dormant.length, "entry", "entries")} from plays that nothing here runs`;
  return section("Data", none, none ? null : list(object.data.map(datumItem)), folded(idle, object.dormant.map(datumItem)));
}

/** The first findings, which are the worst; the others stand folded, so that the owners stay in sight. */
function findingSection(object) {
  const most = 6;
  const items = object.findings.map(findingItem);
  return items.length === 0 ? null : section(`Findings (${items.length})`, list(items.slice(0, most)), folded(`${items.length - most} more`, items.slice(most)));
}

function findingItem(finding) {
  return make("li", {},
    make("p", { class: "title" }, make("span", { class: `finding is-${finding.severity}` }, finding.severity), make("code", {}, finding.rule)),
    make("p", {}, finding.message),
    placeOf(finding.place));
}

/** Whether anything here runs what a play would do; other tools are run by what they are. */
const runWord = (owner) => (owner.tool !== "ansible" || owner.does !== "configures" ? null : owner.run ? "run from here" : "nothing here runs it");

function ownerItem(owner) {
  const roles = owner.roles.length > 0 ? make("p", { class: "roles" }, "Roles: ", owner.roles.join(", ")) : null;
  return make("li", {},
    make("p", { class: "title" }, badge(owner.tool), make("span", { class: "does" }, `${owner.does} it`), make("span", { class: "sure" }, [`${owner.confidence} confidence`, runWord(owner)].filter(Boolean).join(", "))),
    make("p", { class: "by-what" }, owner.what),
    roles,
    make("p", { class: "because" }, owner.because),
    placeOf(owner.place));
}

function ownerSection(object) {
  const live = object.owners.filter((owner) => !owner.dormant);
  const unsure = live.filter((owner) => !isSure(owner));
  const idle = object.owners.filter((owner) => owner.dormant);
  const sure = live.filter(isSure);
  return section("Owners",
    object.owners.length === 0 ? make("p", { class: "none" }, "Nothing in this repository owns it.") : null,
    sure.length > 0 ? list(sure.map(ownerItem)) : null,
    folded(`${count(unsure.length, "play")} for all hosts (low confidence)`, unsure.map(ownerItem)),
    folded(`${count(idle.length, "play")} that nothing here runs`, idle.map(ownerItem)));
}

/** What other tools write down of it again, and whether Terraform says the same: what does not agree comes first. */
function identitySection(object) {
  if (object.identity.length === 0) return null;
  const item = (said) => make("li", { class: said.agrees ? "agrees" : "fated is-lost" },
    make("p", { class: "title" }, make("strong", {}, words(said.attribute)), make("code", {}, said.value),
      make("span", { class: said.agrees ? "sure" : "fate" }, said.agrees ? "as Terraform says" : "Terraform does not agree")),
    make("p", { class: "because" }, `in ${said.variable}`),
    placeOf(said.place));
  const [apart, same] = [object.identity.filter((said) => !said.agrees), object.identity.filter((said) => said.agrees)];
  const shown = [...apart, ...same.slice(0, 4)];
  return section("Identity that is written down again", list(shown.map(item)), folded(`${same.length - 4} more that agree`, same.slice(4).map(item)));
}

function storageSection(object) {
  const item = (disk) => make("li", { class: `fated is-${disk.fate}` },
    make("p", { class: "title" }, disk.path ? make("code", {}, disk.path) : make("span", { class: "none" }, "mounted where nothing says"),
      STORAGE[disk.kind] ?? words(disk.kind), fateMark(disk.fate)),
    placeOf(disk.place));
  return object.storage.length === 0 ? null : section("Storage", list(object.storage.map(item)));
}

/** The objects that it hangs on and that hang on it; a button opens each. */
function linkSection(index) {
  const titles = { "runs-on": ["Runs on", "Carries"], "made-from": ["Made from", "What is made from it"], "attached-to": ["Attached to", "What is attached to it"] };
  const button = (other) => {
    const open = make("button", { type: "button", class: "jump" }, icon(`v-${objects[other].verdict}`), objects[other].name,
      make("span", { class: "where" }, objects[other].environment || "."), unseen(`, ${words(objects[other].verdict)}`));
    open.classList.add(`is-${objects[other].verdict}`);
    open.addEventListener("click", () => openPanel(other));
    return make("li", {}, open);
  };
  const part = (way, at) => (kind) => {
    const others = links[index][way].filter((link) => link[0] === kind).map((link) => link[1]).sort(worstFirst);
    const title = titles[kind]?.[at] ?? words(kind);
    const rest = others.slice(8);
    return section(`${title} (${others.length})`, list(others.slice(0, 8).map(button), "jumps"),
      rest.length === 0 ? null : make("details", {}, make("summary", {}, icon("i-fold"), `${rest.length} more`), list(rest.map(button), "jumps")));
  };
  const kinds = (way) => unique(links[index][way].map(([kind]) => kind));
  return [...kinds("up").map(part("up", 0)), ...kinds("down").map(part("down", 1))];
}

function factSection(object) {
  const guarded = object.guarded === null ? "Not known" : object.guarded ? "Deletion is refused" : "Nothing refuses its deletion";
  const facts = [
    ["Declared at", placeOf(object.place)],
    ["Address", object.address ? make("code", {}, object.address) : null],
    ["Network", object.addresses.join(", ")],
    ["Groups", object.groups.join(", ")],
    ["Protection", guarded],
    ["Environment", object.environment || "."],
  ];
  const shown = facts.filter(([, value]) => value);
  return section("Facts", make("dl", { class: "facts" }, shown.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)))));
}

/** Fills the panel. */
function fillPanel(index) {
  const object = objects[index];
  const close = make("button", { type: "button", class: "quiet", id: "close", "aria-keyshortcuts": "Escape" }, icon("i-close"), "Close");
  close.addEventListener("click", closePanel);
  const mean = meaning.get(object.verdict) ?? "";
  panel.className = `is-${object.verdict}`;
  panel.replaceChildren(
    make("header", {},
      make("div", { class: "line" }, verdictMark(object.verdict), close),
      make("h2", { id: "panel-name", tabindex: "-1" }, breakable(object.name)),
      make("p", { class: "meta" }, unique([object.kind, object.sort, object.environment || "."]).map((fact) => make("span", {}, fact))),
      make("p", { class: "means" }, `${mean.charAt(0).toUpperCase()}${mean.slice(1)}.`)),
    dataSection(object),
    ...[findingSection(object), ownerSection(object), identitySection(object), storageSection(object)].filter(Boolean),
    ...linkSection(index),
    factSection(object));
  panel.scrollTop = 0;
}
