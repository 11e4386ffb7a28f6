// Building blocks, and the row of an object. Whatever comes from the map goes in as text or as an attribute, never as markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and children; a child is an element, a text, or nothing. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** A long name or path that may break after its separators; what is copied from it stays the same. */
function breakable(text) {
  if (text.length < 20) return [text];
  return text.split(/(?<=[./_])/).flatMap((part, at) => (at === 0 ? [part] : [document.createElement("wbr"), part]));
}

/** A picture of the page's own; it stands beside words that say the same. */
function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#${name}`);
  svg.append(use);
  return svg;
}

const unseen = (text) => make("span", { class: "unseen" }, text);
const verdictMark = (verdict) => make("span", { class: `mark is-${verdict}` }, icon(`v-${verdict}`), words(verdict));
const badge = (tool, faint = false) => make("span", { class: faint ? "tool faint" : "tool" }, tool);

/** `a/b/c` with what tells it apart set off. */
function pathName(path) {
  const cut = path.lastIndexOf("/") + 1;
  return [make("span", { class: "above" }, breakable(path.slice(0, cut))), make("span", { class: "leaf" }, path.slice(cut) || ". (the root)")];
}

/** Who has a hand in it: a line for each deed, a badge for each tool, and by what. */
function ownerLines(object) {
  const live = object.owners.filter((owner) => !owner.dormant);
  const line = (deed) => {
    const doing = live.filter((owner) => owner.does === deed);
    const tools = unique(doing.map((owner) => owner.tool));
    const parts = tools.map((tool) => {
      const own = doing.filter((owner) => owner.tool === tool);
      const sure = own.filter(isSure);
      const roles = unique(sure.flatMap((owner) => owner.roles));
      const plays = deed === "makes" ? [] : roles.length > 0 ? roles : unique(sure.map((owner) => owner.what));
      const by = plays.length > 2 ? `${plays.slice(0, 2).join(", ")} +${plays.length - 2}` : plays.join(", ");
      const faint = sure.length === 0;
      return make("span", { class: "by" }, badge(tool, faint), faint ? "by plays for all hosts only" : by);
    });
    return tools.length === 0 ? null : make("div", {}, make("dt", {}, DEEDS[deed]), make("dd", {}, parts));
  };
  const lines = Object.keys(DEEDS).map(line);
  const idle = object.owners.length > 0 && live.length === 0;
  return make("dl", { class: "owners" }, lines, idle ? make("div", {}, make("dt", {}, "Only by plays that nothing here runs")) : null);
}

const liesOn = (datum) => (datum.storage ? STORAGE[datum.storage] ?? words(datum.storage) : "storage that is not known");
const fateMark = (fate) => make("span", { class: `fate is-${fate}` }, FATES[fate] ?? fate);

/** The services of an object with their paths, those that share storage and fate together. */
function dataList(object) {
  const most = 5;
  const together = new Map();
  for (const datum of object.data.slice(0, most)) {
    const key = `${datum.storage} ${datum.fate}`;
    if (!together.has(key)) together.set(key, []);
    together.get(key).push(datum);
  }
  const line = (datum) => make("p", {}, make("strong", {}, datum.service), datum.path ? make("code", {}, breakable(datum.path)) : null);
  const items = [...together.values()].map((data) =>
    make("li", {}, data.map(line), make("p", { class: "lies" }, `on ${liesOn(data[0])}, `, fateMark(data[0].fate))));
  const more = object.data.length - most;
  return make("ul", { class: "data", "aria-label": "Data" }, items, more > 0 ? make("li", { class: "rest" }, `and ${more} more`) : null);
}

/** The marks of an object's findings: how many of each severity. */
function findingMarks(object) {
  const counts = SEVERITIES.map((severity) => [severity, object.findings.filter((it) => it.severity === severity).length]);
  return counts.filter(([, number]) => number > 0).map(([severity, number]) =>
    make("span", { class: `finding is-${severity}` }, severity === "info" ? `${number} info` : count(number, severity)));
}

/** What of its identity another tool says otherwise; what agrees is for the details. */
function identityMark(object) {
  const apart = unique(object.identity.filter((said) => !said.agrees).map((said) => words(said.attribute)));
  return apart.length === 0 ? [] : [make("span", { class: "finding is-warning apart" }, `${apart.join(", ")} written in two ways`)];
}

/** Where it hangs, in a few words. */
function linkWords(index) {
  const said = [];
  const hosts = links[index].up.filter(([kind]) => kind === "runs-on");
  if (hosts.length > 0) said.push(make("span", { class: "runs-on" }, `runs on ${hosts.length === 1 ? objects[hosts[0][1]].name : count(hosts.length, "machine")}`));
  for (const [kind, other] of links[index].up) {
    if (kind !== "runs-on" && said.length < 3) said.push(`${words(kind)} ${objects[other].name}`);
  }
  const carried = links[index].down.filter(([kind]) => kind === "runs-on").length;
  if (carried > 0) said.push(`carries ${count(carried, "container")}`);
  const made = links[index].down.filter(([kind]) => kind === "made-from").length;
  if (made > 0) said.push(`${count(made, "machine")} made from it`);
  return said;
}

/** Where it is declared, seen from its environment: what tells namesakes without an address apart. */
function inEnvironment(object) {
  const place = at(object.place);
  return place.startsWith(`${object.environment}/`) ? place.slice(object.environment.length + 1) : place;
}

/** The row of an object. */
function rowOf(index) {
  const object = objects[index];
  const host = parents[index];
  const name = make("button", { type: "button", class: "name", tabindex: "-1", "aria-expanded": "false", "aria-controls": "panel" },
    breakable(object.name), unseen(`, ${words(object.verdict)}`));
  const address = object.address === object.name ? null : make("code", { class: "address" }, breakable(object.address ?? inEnvironment(object)));
  const away = host !== null && object.environment !== objects[host].environment ? `from ${object.environment || "."}` : null;
  const facts = [object.kind === object.sort ? null : object.kind, object.sort, object.addresses[0], ...linkWords(index), away];
  const meta = make("p", { class: "meta" }, facts.filter(Boolean).map((fact) => (typeof fact === "string" ? make("span", {}, fact) : fact)));
  const marks = [...findingMarks(object), ...identityMark(object)];
  const data = object.data.length > 0
    ? dataList(object)
    : make("p", { class: "data none" }, "no data is known here");
  return make("li", { class: `row is-${object.verdict}${host === null ? "" : " nested"}`, "data-index": index },
    make("div", { class: "verdict" }, verdictMark(object.verdict)),
    make("div", { class: "what" }, make("h3", {}, name), meta, address, marks.length > 0 ? make("p", { class: "findings" }, marks) : null),
    ownerLines(object),
    data);
}
