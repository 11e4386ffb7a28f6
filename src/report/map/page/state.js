// What is shown: the filters, the open object and the theme. It lives in the part of the address behind `#`, so that a link
// shows the same; nothing is stored elsewhere.

const FACETS = { verdict: verdicts, sort: Object.keys(SORTS), tool: unique(toolsOf.flat()).sort() };
const THEMES = ["auto", "light", "dark"];

const state = { verdict: new Set(), sort: new Set(), tool: new Set(), text: "", open: null, theme: "auto" };

/** The timer of the next change of the address. */
let writing = 0;
/** The address as the page last read or wrote it. */
let known = location.hash;

/** Takes over what the address says; what it names and the map does not know is left out. */
function readAddress() {
  clearTimeout(writing);
  known = location.hash;
  let given;
  try {
    given = new URLSearchParams(location.hash.slice(1));
  } catch {
    given = new URLSearchParams();
  }
  for (const [facet, known] of Object.entries(FACETS)) {
    const named = (given.get(facet) ?? "").split(",");
    state[facet] = new Set(known.filter((value) => named.includes(value)));
  }
  state.text = given.get("q") ?? "";
  state.open = indexOf.get(given.get("open")) ?? null;
  state.theme = THEMES.includes(given.get("theme")) ? given.get("theme") : "auto";
}

/** Puts what is shown into the address, a moment later: browsers take their time for it, and refuse it when it comes too often. */
function writeAddress() {
  clearTimeout(writing);
  writing = setTimeout(putAddress, 100);
}

function putAddress() {
  // Somebody else has just changed it: what it says now is about to be read.
  if (location.hash !== known) return;
  const parts = [];
  const put = (name, value) => parts.push(`${name}=${encodeURIComponent(value).replace(/%(2F|3A|2C)/g, decodeURIComponent)}`);
  for (const facet of Object.keys(FACETS)) {
    if (state[facet].size > 0) put(facet, FACETS[facet].filter((value) => state[facet].has(value)).join(","));
  }
  if (state.text.trim()) put("q", state.text.trim());
  if (state.open !== null) put("open", objects[state.open].id);
  if (state.theme !== "auto") put("theme", state.theme);
  const address = parts.length > 0 ? `#${parts.join("&")}` : location.pathname + location.search;
  try {
    history.replaceState(null, "", address);
    known = location.hash;
  } catch {
    // Where the page may not change its address, it works all the same.
  }
}

const isFiltered = () => Object.keys(FACETS).some((facet) => state[facet].size > 0) || state.text.trim() !== "";

/** Whether each object is shown. Values of one facet add up; facets, and the words of the search, narrow each other. */
function matches() {
  const terms = state.text.toLowerCase().split(/\s+/).filter(Boolean);
  return objects.map((object, index) =>
    (state.verdict.size === 0 || state.verdict.has(object.verdict)) &&
    (state.sort.size === 0 || state.sort.has(object.sort)) &&
    (state.tool.size === 0 || toolsOf[index].some((tool) => state.tool.has(tool))) &&
    terms.every((term) => haystacks[index].includes(term)));
}
