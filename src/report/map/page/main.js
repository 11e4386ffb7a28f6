// The page: its header, filters, groups, the keys, and what happens when something is chosen.

const byId = (id) => document.getElementById(id);
const shell = byId("page");
const mapPart = byId("map");
const searchField = byId("search");
const rows = new Array(objects.length).fill(null);
const toggles = [];
let shown = [];
let current = null;
let marked = null;
/** Whether the panel lies over the map, rather than beside it. */
const covers = matchMedia("(max-width: 1100px)");

/** Says something to those who do not see the page. */
function say(text) {
  byId("said").textContent = text;
}

function fillHeader() {
  const project = map.project || "this project";
  document.title = `${project}: ownership map`;
  byId("version").textContent = `by ${map.tool.name} ${map.tool.version}`;
  byId("project").textContent = project;
  const [first, ...others] = clauses();
  const answer = byId("answer");
  if (first) {
    answer.append(make("em", { class: `is-${first[2]}` }, first[0].toLocaleString("en")), ` ${first[1]}.`);
  } else if (objects.length === 0) {
    answer.append("Nothing to map.");
  } else {
    const holding = objects.filter((object) => object.verdict !== "no-data").length;
    answer.append(holding > 0 ? "No data that is known here goes with what holds it." : "No data is known here.");
  }
  byId("more").textContent = others.map(([number, rest]) => `${number.toLocaleString("en")} ${rest}.`).join(" ");
  byId("bar").hidden = byId("legend").hidden = byId("tools").hidden = objects.length === 0;
  for (const verdict of verdicts) {
    const number = map.summary.verdicts[verdict] ?? 0;
    const part = make("span", { class: `is-${verdict}` });
    part.style.flexGrow = number;
    if (number > 0) byId("bar").append(part);
  }
}

/** A button that switches one value of a facet. */
function toggle(facet, value, ...children) {
  const button = make("button", { type: "button", "aria-pressed": "false", "data-facet": facet, "data-value": value }, ...children);
  toggles.push(button);
  button.addEventListener("click", () => {
    if (!state[facet].delete(value)) state[facet].add(value);
    show();
  });
  return button;
}

function fillFilters() {
  for (const { verdict, meaning: mean } of map.legend) {
    const number = map.summary.verdicts[verdict] ?? 0;
    const tile = toggle("verdict", verdict, verdictMark(verdict), make("span", { class: "number" }, number.toLocaleString("en")),
      make("span", { class: "means" }, mean));
    tile.className = number === 0 ? `tile is-${verdict} zero` : `tile is-${verdict}`;
    byId("legend").append(tile);
  }
  const chip = (facet, value, label, number) => {
    const button = toggle(facet, value, label, make("span", { class: "number" }, number.toLocaleString("en")));
    button.className = "chip";
    byId(`by-${facet}`).append(button);
  };
  for (const [sort, [, many]] of Object.entries(SORTS)) {
    const number = objects.filter((object) => object.sort === sort).length;
    if (number > 0) chip("sort", sort, many, number);
  }
  for (const tool of FACETS.tool) chip("tool", tool, tool, toolsOf.filter((tools) => tools.includes(tool)).length);
}

/** The verdicts of a group, each with its number. */
function tallyOf(group) {
  const parts = group.tally.map((number, at) => number === 0 ? null
    : make("span", { class: `mark is-${verdicts[at]}`, title: `${number} ${words(verdicts[at])}` }, icon(`v-${verdicts[at]}`), String(number), unseen(` ${words(verdicts[at])}`)));
  return make("span", { class: "tally" }, parts);
}

/** The frame of each group; its rows come later. */
function fillGroups() {
  groups.forEach((group, at) => {
    group.list = make("ol", { class: "rows", id: `rows-${at}` });
    group.fold = make("button", { type: "button", class: "fold", "aria-expanded": "true", "aria-controls": `rows-${at}` },
      icon("i-fold"), make("span", { class: "path" }, pathName(group.path)));
    group.fold.addEventListener("click", () => {
      const open = group.fold.getAttribute("aria-expanded") !== "true";
      group.fold.setAttribute("aria-expanded", open);
      group.list.hidden = !open;
      if (open) setCurrent(group.members.find((index) => rows[index] && shown[index]) ?? current);
      keepCurrent();
    });
    group.number = make("span", { class: "of" });
    group.part = make("section", { class: "group", "aria-labelledby": `group-${at}` },
      make("div", { class: "head" }, make("h2", { id: `group-${at}` }, group.fold), group.number, tallyOf(group)), group.list);
    mapPart.append(group.part);
    group.entry = make("button", { type: "button" }, make("span", { class: "path" }, pathName(group.path)), tallyOf(group));
    group.entry.addEventListener("click", () => {
      group.part.scrollIntoView({ block: "start" });
      group.fold.focus({ preventScroll: true });
    });
    group.item = make("li", {}, group.entry);
  });
  if (groups.length > 1) byId("environments").append(make("h2", {}, "Environments"), make("ul", {}, groups.map((group) => group.item)));
  const text = objects.length === 0
    ? "Nothing in this project is a machine, a container, a store of data or an image that the tools here make: no Terraform resource that holds data, no inventory host, no compose file, no Packer build was found. If there should be, look whether the files are tracked by Git and below this folder."
    : "Nothing matches all of these filters.";
  mapPart.append(make("p", { class: "plain", id: "nothing" }, text));
}

/** Builds rows one by one; `fillRows` does so for a few milliseconds, then lets the page breathe. */
function* rowsInTurn() {
  for (const group of groups) {
    for (const index of group.members) {
      const row = rowOf(index);
      row.hidden = !shown[index];
      rows[index] = row;
      group.list.append(row);
      if (current === null && shown[index]) setCurrent(index);
      yield;
    }
  }
}
const pending = rowsInTurn();
function fillRows(time = 30) {
  const end = performance.now() + time;
  while (performance.now() < end) {
    if (pending.next().done) {
      mapPart.setAttribute("aria-busy", "false");
      document.documentElement.dataset.ready = "yes";
      performance.mark("ready");
      markOpen();
      keepCurrent();
      return;
    }
  }
  setTimeout(fillRows, 0, 60);
}

/** Shows what the filters let through, and says how much that is. */
function show() {
  shown = matches();
  const total = shown.filter(Boolean).length;
  for (const group of groups) {
    let inside = 0;
    for (const index of group.members) {
      if (shown[index]) inside += 1;
      const row = rows[index];
      if (row && row.hidden === shown[index]) row.hidden = !shown[index];
      const alone = parents[index] !== null && !shown[parents[index]];
      if (row && parents[index] !== null) row.classList.toggle("nested", !alone);
    }
    group.part.hidden = group.item.hidden = inside === 0;
    group.part.style.containIntrinsicSize = `auto ${50 + inside * 96}px`;
    group.number.textContent = inside === group.members.length ? count(inside, "object") : `${inside} of ${count(group.members.length, "object")}`;
  }
  for (const button of toggles) {
    button.setAttribute("aria-pressed", state[button.dataset.facet].has(button.dataset.value));
  }
  if (searchField.value !== state.text) searchField.value = state.text;
  byId("count").textContent = isFiltered() ? `${total.toLocaleString("en")} of ${count(objects.length, "object")} shown` : `${count(objects.length, "object")} shown`;
  byId("clear").hidden = !isFiltered();
  byId("nothing").hidden = total > 0;
  keepCurrent();
  writeAddress();
}

/** Of all rows, one is reached by Tab; the arrows move on from there. */
function setCurrent(index) {
  if (current !== null && rows[current]) rows[current].querySelector(".name").tabIndex = -1;
  current = index;
  if (index !== null && rows[index]) rows[index].querySelector(".name").tabIndex = 0;
}

const isReachable = (row) => row !== null && !row.hidden && !row.parentElement.hidden && !row.closest(".group").hidden;

function reachable() {
  return groups.flatMap((group) => (group.list.hidden ? [] : group.members)).filter((index) => rows[index] && shown[index]);
}

function keepCurrent() {
  if (current === null || !isReachable(rows[current])) setCurrent(reachable()[0] ?? null);
}

function move(key) {
  const all = reachable();
  const here = all.indexOf(current);
  const steps = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: all.length - 1 };
  const next = all[Math.min(Math.max(steps[key], 0), all.length - 1)];
  if (next === undefined) return;
  setCurrent(next);
  rows[next].querySelector(".name").focus();
}

/** Marks the row whose details are open, and only that. */
function markOpen() {
  marked?.classList.remove("open");
  marked?.querySelector(".name").setAttribute("aria-expanded", "false");
  marked = state.open === null ? null : rows[state.open];
  marked?.classList.add("open");
  marked?.querySelector(".name").setAttribute("aria-expanded", "true");
}

/** Does what changes the width of the map, and keeps a row where the eye has it. */
function inPlace(row, change) {
  const top = () => (row && isReachable(row) ? row.getBoundingClientRect().top : 0);
  const before = top();
  change();
  scrollBy({ top: top() - before, behavior: "instant" });
}

function openPanel(index, focus = true) {
  state.open = index;
  if (rows[index] && isReachable(rows[index])) setCurrent(index);
  fillPanel(index);
  inPlace(rows[index], () => {
    panel.hidden = false;
    document.body.classList.add("with-panel");
  });
  shell.inert = covers.matches;
  markOpen();
  if (focus) byId("panel-name").focus();
  writeAddress();
}

/** Closes the details and gives the focus back to the row, or to the map when the row is not shown. */
function closePanel() {
  if (state.open === null) return;
  const row = rows[state.open];
  state.open = null;
  inPlace(row, () => {
    panel.hidden = true;
    panel.replaceChildren();
    document.body.classList.remove("with-panel");
  });
  shell.inert = false;
  markOpen();
  writeAddress();
  if (row && isReachable(row)) row.querySelector(".name").focus({ preventScroll: true });
  else mapPart.focus();
}

function setTheme() {
  document.documentElement.dataset.theme = state.theme;
  const names = { auto: "Theme: system", light: "Theme: light", dark: "Theme: dark" };
  byId("theme").replaceChildren(icon("i-theme"), names[state.theme]);
}

function clear() {
  for (const facet of Object.keys(FACETS)) state[facet].clear();
  state.text = "";
  show();
  searchField.focus();
}

/** Keys that hold everywhere. A key that goes into a field, or that the browser needs, is left alone. */
function onKey(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/" && event.target !== searchField) {
    event.preventDefault();
    if (shell.inert) closePanel();
    searchField.focus();
    searchField.select();
  } else if (event.key === "Escape") {
    if (event.target === searchField && state.text !== "") {
      event.preventDefault();
      state.text = "";
      show();
    } else {
      closePanel();
    }
  } else if (event.target.classList?.contains("name") && ["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) {
    event.preventDefault();
    move(event.key);
  }
}

function listen() {
  mapPart.addEventListener("click", (event) => {
    const row = event.target.closest(".row");
    // Who selects text does not mean to open it.
    if (row && getSelection().isCollapsed) openPanel(Number(row.dataset.index));
  });
  mapPart.addEventListener("focusin", (event) => {
    const row = event.target.closest(".row");
    if (row) setCurrent(Number(row.dataset.index));
  });
  document.addEventListener("keydown", onKey);
  searchField.addEventListener("input", () => {
    state.text = searchField.value;
    show();
  });
  byId("clear").addEventListener("click", clear);
  byId("skip").addEventListener("click", () => mapPart.focus());
  byId("theme").addEventListener("click", () => {
    state.theme = THEMES[(THEMES.indexOf(state.theme) + 1) % THEMES.length];
    setTheme();
    writeAddress();
  });
  covers.addEventListener("change", () => { shell.inert = covers.matches && state.open !== null; });
  addEventListener("hashchange", take);
}

/** Shows what the address asks for. */
function take() {
  const before = state.open;
  readAddress();
  setTheme();
  const wanted = state.open;
  state.open = before;
  if (wanted === null) closePanel();
  else if (wanted !== before) openPanel(wanted, false);
  show();
}

shell.hidden = false;
fillHeader();
fillFilters();
fillGroups();
listen();
take();
fillRows();
