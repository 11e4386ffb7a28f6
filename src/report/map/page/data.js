// What the map says, read once: objects by environment with the worst first, and the sentence that sums it up.

const map = JSON.parse(document.getElementById("data").textContent);
const objects = map.objects;
const indexOf = new Map(objects.map((object, index) => [object.id, index]));
const verdicts = map.legend.map((entry) => entry.verdict);
const meaning = new Map(map.legend.map((entry) => [entry.verdict, entry.meaning]));
const rank = (object) => verdicts.indexOf(object.verdict);
const byWords = new Intl.Collator("en", { numeric: true });

const SORTS = {
  host: ["machine", "machines"],
  container: ["container", "containers"],
  store: ["store", "stores"],
  image: ["image", "images"],
};
const STORAGE = {
  root: "root filesystem",
  "owned-volume": "own disk",
  anonymous: "volume without a name",
  memory: "memory",
  bind: "directory of the host",
  managed: "managed storage",
  remote: "remote storage",
};
const FATES = { destroyed: "destroyed with it", survives: "survives it", depends: "not said here" };
const DEEDS = { makes: "Made by", configures: "Configured by", adjusts: "Adjusted by", destroys: "Destroyed by" };
const SEVERITIES = ["error", "warning", "info"];

/** `1 machine`, `3 machines`. */
const count = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
const words = (name) => name.replaceAll("-", " ");
const isSure = (owner) => !owner.dormant && owner.confidence !== "low";
const at = (place) => `${place.path}:${place.line}`;
const unique = (list) => [...new Set(list)];

/** What an object hangs on (`up`) and what hangs on it (`down`), as lists of [kind, index]. */
const links = objects.map(() => ({ up: [], down: [] }));
for (const { from, to, kind } of map.links) {
  const [low, high] = [indexOf.get(from), indexOf.get(to)];
  if (low === undefined || high === undefined || low === high) continue;
  links[low].up.push([kind, high]);
  links[high].down.push([kind, low]);
}

/** The only host that a container runs on; one that runs on many stands by itself. */
function hostOf(index) {
  const hosts = links[index].up.filter(([kind]) => kind === "runs-on");
  const host = hosts.length === 1 ? hosts[0][1] : null;
  return host !== null && objects[host].sort === "host" ? host : null;
}
const parents = objects.map((object, index) => (object.sort === "container" ? hostOf(index) : null));

const worstFirst = (one, other) =>
  rank(objects[one]) - rank(objects[other]) || byWords.compare(objects[one].name, objects[other].name) || one - other;

/** The order of a group: each object followed by what runs on it; what carries a loss stands as high as what is lost. */
function inOrder(indexes, children) {
  const worst = new Map(indexes.map((index) => [index, index]));
  for (const index of indexes) {
    const own = [index, ...(children.get(index) ?? [])];
    worst.set(index, own.reduce((low, next) => (rank(objects[next]) < rank(objects[low]) ? next : low)));
  }
  const byWorst = (one, other) =>
    rank(objects[worst.get(one)]) - rank(objects[worst.get(other)]) || worstFirst(one, other);
  return indexes.sort(byWorst).flatMap((index) => [index, ...(children.get(index) ?? []).sort(worstFirst)]);
}

/** The environments, those with losses first; what runs on one host is listed where the host is. */
function environments() {
  const tops = new Map();
  const children = new Map();
  objects.forEach((object, index) => {
    const [into, key] = parents[index] === null ? [tops, object.environment] : [children, parents[index]];
    if (!into.has(key)) into.set(key, []);
    into.get(key).push(index);
  });
  const groups = [...tops].map(([path, indexes]) => {
    const members = inOrder(indexes, children);
    const tally = verdicts.map((verdict) => members.filter((index) => objects[index].verdict === verdict).length);
    return { path, members, tally };
  });
  const before = (one, other) => {
    const differs = one.tally.findIndex((number, index) => number !== other.tally[index]);
    return differs < 0 ? byWords.compare(one.path, other.path) : other.tally[differs] - one.tally[differs];
  };
  return groups.sort(before);
}
const groups = environments();

/** What the search looks in. */
const haystacks = objects.map((object) => {
  const parts = [object.name, object.address, object.kind, object.environment, object.sort, object.place.path];
  parts.push(...object.addresses, ...object.groups);
  for (const owner of object.owners) parts.push(owner.tool, owner.what, ...owner.roles);
  for (const datum of [...object.data, ...object.dormant]) parts.push(datum.service, datum.path);
  for (const disk of object.storage) parts.push(disk.path);
  for (const said of object.identity) parts.push(said.value, said.variable);
  for (const finding of object.findings) parts.push(finding.rule);
  return unique(parts.filter(Boolean)).join("\n").toLowerCase();
});
const toolsOf = objects.map((object) => unique(object.owners.filter((it) => !it.dormant).map((it) => it.tool)));

/** What is to be said of the whole, the worst first, each as [number, rest, verdict]. */
function clauses() {
  const said = [];
  const tell = (verdict, say) => {
    for (const [sort, [one, many]] of Object.entries(SORTS)) {
      const all = objects.filter((object) => object.sort === sort);
      const number = all.filter((object) => object.verdict === verdict).length;
      if (number > 0) said.push([number, say(number, all.length, all.length === 1 ? one : many), verdict]);
    }
  };
  const of = (all, noun) => `of ${all.toLocaleString("en")} ${noun}`;
  tell("lost", (number, all, noun) =>
    number === 1 ? `${of(all, noun)} loses data when it is destroyed` : `${of(all, noun)} lose data when they are destroyed`);
  tell("exposed", (number, all, noun) =>
    `${of(all, noun)} ${number === 1 ? "holds" : "hold"} data that nothing stops a plan from deleting`);
  tell("unknown", (number, all, noun) =>
    `${of(all, noun)} ${number === 1 ? "holds" : "hold"} data, and nothing here says what becomes of it`);
  return said;
}
